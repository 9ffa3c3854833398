"""Deterministic generators of raw provider exports: plain arithmetic and hashes of the row number, no random state."""
