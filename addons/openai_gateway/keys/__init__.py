"""Which key may come, and which one leaves."""
