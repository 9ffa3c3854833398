"""Edges that read a provider; each SDK is imported when its job arrives."""
