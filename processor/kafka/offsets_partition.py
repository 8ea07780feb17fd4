"""Where a group's committed offsets are kept."""


def offsets_partition(group_id: str, num_partitions: int) -> int:
    """The partition of ``__consumer_offsets``: by Java's ``String.hashCode``, as brokers choose it.

    Args:
        group_id: the group.
        num_partitions: how many that topic has.
    """
    value = 0
    units = group_id.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    signed = value - (1 << 32) if value >> 31 else value
    # Java has no positive number for its lowest one; Kafka takes 0 for it.
    return 0 if signed == -(1 << 31) else abs(signed) % num_partitions
