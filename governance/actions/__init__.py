"""Edges that stop and start machines; each SDK is imported when its job arrives."""
