"""The yardstick: a bare aiokafka copy, one transaction per 100 ms, one producer a partition.

Run as ``python -m benchmarks.copier BATCH_BYTES SERVERS SOURCE TARGET COUNT...``: a count for each
partition. Bare means the library's own settings, among them batches of `BARE_BATCH_BYTES`;
`TUNED_BATCH_BYTES` is the most that a copy can gain from larger ones.
Prints the seconds from the first record written to the last one. It must time itself: its records
keep the timestamps of those they are copies of.
"""

import asyncio
import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

_TRANSACTION_S = 0.1
BARE_BATCH_BYTES = 16 * 1024
TUNED_BATCH_BYTES = 512 * 1024


def _append(batch: BatchBuilder, record: ConsumerRecord[bytes, bytes]) -> bool:
    added = batch.append(
        timestamp=record.timestamp,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
    )
    return added is not None


async def _copy(
    batch_bytes: int, servers: str, source: str, target: str, partition: int, count: int
) -> tuple[float, float]:
    """Copy one partition; when its first and its last record were written."""
    read = TopicPartition(source, partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        transactional_id=f"{target}-{partition}",
        max_batch_size=batch_bytes,
        retry_backoff_ms=50,
    )
    await consumer.start()
    consumer.assign([read])
    consumer.seek(read, 0)
    await producer.start()
    copied = 0
    first_s = last_s = time.monotonic()
    while copied < count:
        await producer.begin_transaction()
        deadline = time.monotonic() + _TRANSACTION_S
        batch, sent = producer.create_batch(), []
        while copied < count and (left := deadline - time.monotonic()) > 0:
            fetched = await consumer.getmany(read, timeout_ms=int(left * 1000), max_records=500)
            if copied == 0:
                first_s = time.monotonic()
            for record in fetched.get(read, ()):
                # The record as it is: a copy that dropped its time and headers would be none.
                if not _append(batch, record):
                    sent.append(await producer.send_batch(batch, target, partition=partition))
                    batch = producer.create_batch()
                    _append(batch, record)
                copied += 1
            last_s = time.monotonic()
            await asyncio.sleep(0)
        if batch.record_count():
            sent.append(await producer.send_batch(batch, target, partition=partition))
        await asyncio.gather(*sent)
        await producer.send_offsets_to_transaction({read: copied}, f"{target}-copy")
        await producer.commit_transaction()
    await producer.stop()
    await consumer.stop()
    return first_s, last_s


async def _main(
    batch_bytes: int, servers: str, source: str, target: str, counts: list[int]
) -> None:
    times = await asyncio.gather(
        *(
            _copy(batch_bytes, servers, source, target, number, count)
            for number, count in enumerate(counts)
        )
    )
    print(max(last_s for _, last_s in times) - min(first_s for first_s, _ in times))


if __name__ == "__main__":
    uvloop.run(
        _main(
            int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], [int(n) for n in sys.argv[5:]]
        )
    )
