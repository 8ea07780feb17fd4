"""A connection that the broker has just closed: aiokafka expects OSError of it, uvloop has its own.

Its RuntimeError would end whatever routine of aiokafka's happens to send, or this process. And the
error that a connection ended with stays on a future that nobody waits for: when it is thrown away,
asyncio may log it as a fault, with a trace.
"""

from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, AIOKafkaProtocol, CloseReason
from aiokafka.errors import KafkaConnectionError

_send: Final[Any] = AIOKafkaConnection.send
_connection_lost: Final[Any] = AIOKafkaProtocol.connection_lost


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


def _lose_and_hear(protocol: Any, error: Exception | None) -> None:
    _connection_lost(protocol, error)
    if protocol._closed.done() and not protocol._closed.cancelled():
        protocol._closed.exception()


def expect_closed_transports() -> None:
    """Let a send over a transport that is closed fail as any lost connection does, and no more."""
    setattr(AIOKafkaProtocol, "connection_lost", _lose_and_hear)  # noqa: B010
    setattr(AIOKafkaConnection, "send", _send_or_lose)  # noqa: B010
