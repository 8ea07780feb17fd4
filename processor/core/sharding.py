"""Which stream a user belongs to: Kafka's own default partitioner.

The rule and the constants are those of the Java client (``Utils.murmur2`` and the built-in
partitioner), so that any producer which keys by user id with the default partitioner agrees.
"""

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Final

MASK: Final = 0xFFFFFFFF
SEED: Final = 0x9747B28C
M: Final = 0x5BD1E995


@lru_cache(maxsize=256)
def _words(count: int) -> Callable[[bytes], tuple[int, ...]]:
    """Reads so many 32-bit words from the start of bytes."""
    return Struct(f"<{count}I").unpack_from


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bits, with Kafka's seed.

    Returns:
        The hash as an unsigned number.
    """
    length = len(data)
    h = SEED ^ length
    for word in _words(length >> 2)(data):
        k = (word * M) & MASK
        h = ((h * M) ^ ((k ^ (k >> 24)) * M)) & MASK
    if length & 3:
        h = ((h ^ int.from_bytes(data[length & ~3 :], "little")) * M) & MASK
    h = ((h ^ (h >> 13)) * M) & MASK
    return h ^ (h >> 15)


# Four times the users that one process usually sees at a time; an entry takes about 150 bytes.
@lru_cache(maxsize=65_536)
def stream_of(key: str, num_streams: int) -> int:
    """The stream (partition) of a user id."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % num_streams


def shard_of(order_id: str, num_streams: int) -> int:
    """The directory shard (partition) of an order id.

    By the same rule, but not remembered: an order id comes twice, and would push out users.
    """
    return (murmur2(order_id.encode()) & 0x7FFFFFFF) % num_streams
