"""`kesher eval`: scenario files, played through the real turn and judged."""
