"""A connection of which the transport is closed, and the client library has not noticed yet."""

import asyncio
from typing import Any, cast

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from processor.kafka.connection import Connection

# The most turns of the loop that it takes the library to notice.
_TURNS = 10


async def _never(_: object) -> None:
    """Instead of asking the broker for its versions: there is none."""


async def _errors_of_sends() -> list[BaseException]:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = AIOKafkaConnection("127.0.0.1", port)
        await connection.connect()
        cast(Any, connection)._writer.transport.abort()
        errors: list[BaseException] = []
        answers: list[asyncio.Future[Any]] = []
        for _ in range(_TURNS):
            try:
                answers.append(asyncio.ensure_future(connection.send(ApiVersionRequest())))
            except Exception as error:
                errors.append(error)
            await asyncio.sleep(0)
        connection.close()
        await asyncio.wait(answers)
        return errors + [answer.exception() or AssertionError("answered") for answer in answers]


def test_a_send_over_a_closed_transport_is_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Connection("127.0.0.1:1").options()
    monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", _never)
    errors = uvloop.run(_errors_of_sends())
    assert {type(error) for error in errors} == {KafkaConnectionError}
    assert any(isinstance(error.__cause__, RuntimeError) for error in errors)
