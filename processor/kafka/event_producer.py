"""Sending events: idempotent, acknowledged by all replicas, with Kafka's default partitioner."""

import asyncio
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer

from processor.kafka.connection import Connection
from processor.kafka.errors import for_command


class EventProducer:
    """Sends events to one topic; leaving the block waits until all are acknowledged.

    Raises:
        KafkaUnavailable: no broker answers, or one refuses a record.
    """

    def __init__(self, connection: Connection, topic: str) -> None:
        self._servers = connection.bootstrap_servers
        self._topic = topic
        self._producer = AIOKafkaProducer(
            **connection.options(),
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=256 * 1024,
        )
        self._failure: BaseException | None = None
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        try:
            with for_command(self._servers):
                await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def send(self, key: str, value: bytes) -> None:
        """Queue one event; returns before it is acknowledged."""
        with for_command(self._servers):
            if self._failure is not None:
                raise self._failure
            future = await self._producer.send(self._topic, value, key=key.encode())
            future.add_done_callback(self._settled)

    def _settled(self, future: "asyncio.Future[object]") -> None:
        if future.cancelled():
            return
        if (error := future.exception()) is None:
            self.acknowledged += 1
        else:
            self._failure = error

    async def flush(self) -> None:
        """Wait until everything queued is acknowledged."""
        with for_command(self._servers):
            await self._producer.flush()
            if self._failure is not None:
                raise self._failure

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()
