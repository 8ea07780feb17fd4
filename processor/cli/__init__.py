"""The command line ``live-orders``."""

from processor.cli.app import main

__all__ = ["main"]
