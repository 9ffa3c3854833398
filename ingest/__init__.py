"""Provider bills become FOCUS rows."""
