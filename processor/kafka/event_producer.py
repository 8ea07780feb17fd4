"""Sending events: idempotent, acknowledged by all replicas, with Kafka's default partitioner."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from processor.core.sharding import stream_of
from processor.errors import KafkaUnavailable
from processor.kafka.batch import BulkBatch
from processor.kafka.connection import Connection
from processor.kafka.errors import for_command
from processor.wire.record import NO_HEADERS, Record

_log = logging.getLogger(__name__)

_BATCH_BYTES = 128 * 1024
_STOP_TIMEOUT_S = 1.5


class EventProducer:
    """Sends events to one topic.

    Batches are filled here and handed over whole: aiokafka's own ``send`` takes several times as
    long for each record. Whoever waits for more events first calls `push`.

    Raises:
        KafkaUnavailable: no broker answers, or one refuses a record.
    """

    def __init__(self, connection: Connection, topic: str, num_streams: int) -> None:
        self._servers = connection.bootstrap_servers
        self._timeout_s = connection.request_timeout_ms / 1000
        self._topic = topic
        self._num_streams = num_streams
        self._producer = AIOKafkaProducer(
            **connection.options(), enable_idempotence=True, acks="all", max_batch_size=_BATCH_BYTES
        )
        self._open: dict[int, BulkBatch] = {}
        self._pending: set[asyncio.Future[object]] = set()
        self._handing_over: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        try:
            with for_command(self._servers):
                await self._producer.start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def send(self, key: str, value: bytes) -> None:
        """Queue one event; returns before it is acknowledged."""
        stream = stream_of(key, self._num_streams)
        record: list[Record] = [(key.encode(), value, NO_HEADERS)]
        batch = self._open.get(stream)
        if batch is None:
            batch = self._open[stream] = BulkBatch(_BATCH_BYTES, transactional=False)
        if batch.extend(record, 0) == 0:
            await self._send_batch(stream)
            batch = self._open[stream] = BulkBatch(_BATCH_BYTES, transactional=False)
            batch.extend(record, 0)

    async def push(self) -> None:
        """Hand over what is queued, so that it is on its way; returns before it is acknowledged."""
        for stream in list(self._open):
            await self._send_batch(stream)

    async def flush(self) -> None:
        """Wait until everything queued is acknowledged."""
        if self._handing_over is not None:
            await self._handing_over
        await self.push()
        while self._pending:
            done, _ = await asyncio.wait(
                self._pending, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                # A batch of an idempotent producer never expires by itself.
                raise self._no_answer()
            self._raise_failure()
        self._raise_failure()

    async def _send_batch(self, stream: int) -> None:
        self._raise_failure()
        batch = self._open.pop(stream)
        events = batch.records

        def settled(future: "asyncio.Future[object]") -> None:
            self._pending.discard(future)
            if future.cancelled():
                return
            if (error := future.exception()) is None:
                self.acknowledged += events
            else:
                self._failure = error

        async def hand_over() -> None:
            try:
                with for_command(self._servers):
                    sending = self._producer.send_batch(batch, self._topic, partition=stream)
                    future = await sending
            except KafkaUnavailable as error:
                if isinstance(error.__cause__, KafkaTimeoutError):
                    raise self._no_answer() from error
                raise
            self._pending.add(future)
            future.add_done_callback(settled)

        # Whoever is interrupted here must not lose a batch: `flush` waits for it.
        self._handing_over = asyncio.ensure_future(hand_over())
        await asyncio.shield(self._handing_over)

    def _no_answer(self) -> KafkaUnavailable:
        return KafkaUnavailable(
            f"Kafka at {self._servers} takes no more events: no answer for "
            f"{self._timeout_s:g} s; look whether it is up"
        )

    def _raise_failure(self) -> None:
        if self._failure is not None:
            with for_command(self._servers):
                raise self._failure

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        """Stop within a bound: stopping flushes, and that may wait for ever."""
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait([stopping], timeout=_STOP_TIMEOUT_S)
        if not done:
            stopping.cancel()
        elif not stopping.cancelled() and (error := stopping.exception()) is not None:
            _log.debug("stopping the producer: %r", error)
