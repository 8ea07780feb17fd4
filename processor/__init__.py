"""Live Orders: an exactly-once order-lifecycle processor on Kafka."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from processor.core.system import CryptoOrderSystem

__all__ = ["CryptoOrderSystem"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: the command line must be there before anything long begins,
    # to take care of Ctrl-C.
    if name == "CryptoOrderSystem":
        from processor.core.system import CryptoOrderSystem

        return CryptoOrderSystem
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
