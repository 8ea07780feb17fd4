"""Kafka's UUID: 16 bytes, all zero for none."""

from io import BytesIO
from typing import Final

from aiokafka.protocol.abstract import AbstractType

UUID_BYTES: Final = 16
NO_UUID: Final = bytes(UUID_BYTES)


class Uuid(AbstractType[bytes]):
    """A topic's id."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """Part of `AbstractType`."""
        if len(value) != UUID_BYTES:
            raise ValueError(f"a UUID of {len(value)} bytes")
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        """Part of `AbstractType`."""
        return data.read(UUID_BYTES)
