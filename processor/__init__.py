"""Live Orders: an exactly-once order-lifecycle processor on Kafka."""

from processor.core.system import CryptoOrderSystem

__all__ = ["CryptoOrderSystem"]
