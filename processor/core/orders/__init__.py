"""The order rules: a stream of orders, its snapshots and its records."""
