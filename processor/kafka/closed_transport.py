"""A connection that the broker has just closed: aiokafka expects OSError of it, uvloop has its own.

Its RuntimeError would end whatever routine of aiokafka's happens to send, or this process.
"""

from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send: Final[Any] = AIOKafkaConnection.send


def _send_or_lose(
    connection: AIOKafkaConnection, request: Any, expect_response: bool = True
) -> Any:
    try:
        return _send(connection, request, expect_response)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(
            f"Connection at {connection.host}:{connection.port} broken: {error}"
        ) from error


def expect_closed_transports() -> None:
    """Let a send over a transport that is closed already fail as any lost connection does."""
    setattr(AIOKafkaConnection, "send", _send_or_lose)  # noqa: B010
