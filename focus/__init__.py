"""The FOCUS specification as data: pure, no I/O beyond its own data files."""
