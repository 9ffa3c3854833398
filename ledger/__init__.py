"""The truth about money: deliveries, the versioned book and what is read from it."""
