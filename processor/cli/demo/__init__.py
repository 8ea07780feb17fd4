"""``live-orders demo``."""

from processor.cli.demo.command import demo

__all__ = ["demo"]
