"""The command line: Kesher on this machine, for a look and for development."""
