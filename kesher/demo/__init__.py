"""`kesher demo`: a simulated customer writes, the whole pipeline answers."""
