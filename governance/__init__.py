"""The truth about control: alerts, plans, orders and their record."""
