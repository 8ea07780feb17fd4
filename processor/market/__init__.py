"""A market that never was: a steady, realistic flow of order events, from a seed."""

from processor.market.market import Market, WireEvent

__all__ = ["Market", "WireEvent"]
