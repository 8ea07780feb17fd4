"""A client of the other family, librdkafka, as kcat and most languages but Java have it."""

import json
import subprocess
from collections.abc import Iterable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer
from confluent_kafka import Message as Record
from confluent_kafka import TopicPartition as Where

_LIMIT_S = 60


def write(
    servers: str, topic: str, pairs: Iterable[tuple[str, bytes]], **settings: str
) -> list[tuple[str, int]]:
    """Write keys and values; of each in the end the key and its partition.

    Args:
        servers: the Kafka.
        topic: where to.
        pairs: keys and values.
        **settings: of librdkafka, with ``_`` for dots; without any, its own defaults but for
            idempotence, without which a retry lets events pass each other.
    """
    named = {name.replace("_", "."): value for name, value in settings.items()}
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": "true", **named})
    written: list[tuple[str, int]] = []

    def note(error: KafkaError | None, record: Record) -> None:
        assert error is None, error
        partition = record.partition()
        assert partition is not None
        written.append(((record.key() or b"").decode(), partition))

    for key, value in pairs:
        producer.produce(topic, value, key, on_delivery=note)
        producer.poll(0)
    assert producer.flush(_LIMIT_S) == 0, "not everything was acknowledged"
    return written


def write_with_kcat(servers: str, topic: str, pairs: Iterable[tuple[str, bytes]]) -> None:
    """Write keys and values with kcat, as `write` does; neither may have ``|`` or a line break."""
    lines = b"".join(b"%s|%s\n" % (key.encode(), value) for key, value in pairs)
    subprocess.run(
        ["kcat", "-P", "-X", "enable.idempotence=true", "-b", servers, "-t", topic, "-K", "|"],
        input=lines,
        check=True,
        timeout=_LIMIT_S,
    )


def read_table(servers: str, topic: str, partitions: int) -> dict[str, Any]:
    """A compacted topic from its start to its end: the last value of each key that has one."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "not used",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([Where(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
    table: dict[str, Any] = {}
    try:
        _read_to_the_end(consumer, partitions, table)
    finally:
        consumer.close()
    return table


def _read_to_the_end(consumer: Consumer, unread: int, table: dict[str, Any]) -> None:
    while unread:
        record = consumer.poll(_LIMIT_S)
        assert record is not None, f"{unread} partitions never ended"
        error = record.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            unread -= 1
            continue
        key = (record.key() or b"").decode()
        value = record.value()
        if value is None:
            table.pop(key, None)
        else:
            table[key] = json.loads(value)
