"""The hash of a set of live orders: equal sets give equal hashes, in any order and language."""

from collections.abc import Iterable
from hashlib import sha256

from processor.core.orders.order import OrderRow

_MODULUS_MASK = (1 << 256) - 1


def order_digest(order: OrderRow) -> int:
    """The share of one order: SHA-256 over its fields joined by U+001F, as a big-endian number."""
    order_id, user_id, currency, amount, price, status, _, _, placed_seq, _ = order
    text = (
        f"{order_id}\x1f{user_id}\x1f{currency}\x1f{amount}\x1f{price}\x1f{status}\x1f{placed_seq}"
    )
    return int.from_bytes(sha256(text.encode()).digest(), "big")


def state_hash(total: int) -> str:
    """A sum of digests, modulo 2^256, as 64 hex digits."""
    return f"{total & _MODULUS_MASK:064x}"


def hash_orders(orders: Iterable[OrderRow]) -> str:
    """The hash of orders from scratch, for checking a copy."""
    return state_hash(sum(order_digest(order) for order in orders))
