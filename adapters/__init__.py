"""Edges shared by both stories: stores, queues, identity, telemetry."""
