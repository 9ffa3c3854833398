"""Loopback stand-ins with a movable clock, for the demo and the tests."""
