"""The hash of a set of live orders: equal sets give equal hashes, in any order and language."""

from collections.abc import Iterable
from hashlib import sha256

from processor.core.order import Order

_MODULUS_MASK = (1 << 256) - 1


def order_digest(order: Order) -> int:
    """What one order adds: SHA-256 over its fields joined by U+001F, as a big-endian number."""
    text = "\x1f".join(
        (
            order.order_id,
            order.user_id,
            order.currency,
            order.amount,
            order.price,
            order.status,
            str(order.placed_seq),
        )
    )
    return int.from_bytes(sha256(text.encode()).digest(), "big")


def state_hash(total: int) -> str:
    """A sum of digests, modulo 2^256, as 64 hex digits."""
    return f"{total & _MODULUS_MASK:064x}"


def hash_orders(orders: Iterable[Order]) -> str:
    """The hash of orders from scratch, for checking a copy."""
    return state_hash(sum(order_digest(order) for order in orders))
