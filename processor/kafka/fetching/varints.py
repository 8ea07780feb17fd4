"""Variable-length integers as in Kafka's record format."""

_LONGEST_BITS = 63


def unsigned_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Decode an unsigned integer; returns it and the index after it.

    Raises:
        ValueError: it is longer than 64 bits.
        IndexError: the data end in it.
    """
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for shift in range(7, _LONGEST_BITS + 1, 7):
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
    raise ValueError("a variable-length integer of more than 64 bits")


def varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Decode a signed integer (zigzag); returns it and the index after it.

    Raises:
        ValueError: it is longer than 64 bits.
        IndexError: the data end in it.
    """
    value, after = unsigned_varint(data, at)
    return (value >> 1) ^ -(value & 1), after
