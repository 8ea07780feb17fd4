"""Measurements against a real Kafka; see ``scripts/bench --help``."""
