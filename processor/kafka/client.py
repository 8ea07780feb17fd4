"""The clients that the parts of a process share."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processor.kafka.connection import Connection
from processor.kafka.consumer import start_consumer, stop_consumer
from processor.kafka.errors import for_command

_log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 1


@asynccontextmanager
async def admin_client(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for as long as the block runs.

    Raises:
        KafkaUnavailable: no broker answers.
    """
    admin = AIOKafkaAdminClient(**connection.options())
    try:
        with for_command(connection.bootstrap_servers):
            await admin.start()
        yield admin
    finally:
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await admin.close()
        except (KafkaError, OSError, TimeoutError) as error:
            _log.debug("closing the admin client: %r", error)


@asynccontextmanager
async def offsets_client(connection: Connection) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that is only asked for offsets, for as long as the block runs.

    Raises:
        KafkaUnavailable: no broker answers.
    """
    consumer = AIOKafkaConsumer(
        **connection.options(), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        with for_command(connection.bootstrap_servers):
            await start_consumer(consumer)
        yield consumer
    finally:
        await stop_consumer(consumer)
