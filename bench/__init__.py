"""Generators and benchmarks; no part of the product."""
