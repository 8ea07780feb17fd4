"""The clients that the parts of a process share."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from processor.kafka.connection import Connection
from processor.kafka.consumer import start_consumer, stop_consumer
from processor.kafka.errors import for_command

_log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 1
_RETRY_S = 0.25


@asynccontextmanager
async def admin_client(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for as long as the block runs.

    Raises:
        KafkaUnavailable: no broker answers within the connection's time.
    """
    with for_command(connection.bootstrap_servers):
        admin = await _reach(connection)
    try:
        yield admin
    finally:
        await _close(admin)


async def _reach(connection: Connection) -> AIOKafkaAdminClient:
    """Try until a broker answers or the time is up: it may be just starting."""
    now = asyncio.get_running_loop().time
    deadline = now() + connection.connect_timeout_ms / 1000
    while True:
        admin = AIOKafkaAdminClient(**connection.options())
        try:
            async with asyncio.timeout_at(deadline):
                await admin.start()
        except BaseException as error:
            await _close(admin)
            if not isinstance(error, (KafkaConnectionError, OSError, TimeoutError)):
                raise
            if now() + _RETRY_S >= deadline:
                raise KafkaConnectionError from error
        else:
            return admin
        await asyncio.sleep(_RETRY_S)


async def _close(admin: AIOKafkaAdminClient) -> None:
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await admin.close()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.debug("closing the admin client: %r", error)


@asynccontextmanager
async def offsets_client(
    connection: Connection, isolation_level: str = "read_committed"
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that is only asked for offsets, for as long as the block runs.

    Raises:
        KafkaUnavailable: no broker answers.
    """
    consumer = AIOKafkaConsumer(
        **connection.options(), enable_auto_commit=False, isolation_level=isolation_level
    )
    try:
        with for_command(connection.bootstrap_servers):
            await start_consumer(consumer)
        yield consumer
    finally:
        await stop_consumer(consumer)
