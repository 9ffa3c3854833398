"""Loopback servers the tests start for themselves, each on a free port."""
