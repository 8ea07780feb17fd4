"""``live-orders dead-letters``."""
