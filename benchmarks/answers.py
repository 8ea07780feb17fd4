"""``python -m benchmarks.answers PLAN``: how long after its place was sent each answer is read.

Read with librdkafka: it costs a tenth of what a Python client does, and asks for all partitions at
once, whichever of them has just brought something.
"""

import json
import sys
import time
from collections.abc import Generator
from contextlib import closing

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from benchmarks.measured import percentile_ms
from benchmarks.plan import Plan, is_last, place_sent_ns

# Longer than any load with what it leaves behind.
_SILENCE_S = 60


def read_answers(servers: str, topic: str, num_streams: int) -> Generator[tuple[int, bytes]]:
    """All answers, as they come; the partition and the value.

    Raises:
        SystemExit: none has come for long.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "not used",
            "enable.auto.commit": "false",
            "isolation.level": "read_committed",
            "socket.nagle.disable": "true",
        }
    )
    with closing(consumer):
        consumer.assign(
            [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(num_streams)]
        )
        while True:
            record = consumer.poll(_SILENCE_S)
            if record is None:
                raise SystemExit(f"no answer within {_SILENCE_S} s")
            if (error := record.error()) is not None:
                raise KafkaException(error)
            partition, value = record.partition(), record.value()
            assert partition is not None
            assert value is not None
            yield partition, value


def _times_ns(plan: Plan) -> list[int]:
    found: list[int] = []
    going_on = set(range(plan.num_streams))
    for partition, value in read_answers(plan.servers, plan.results, plan.num_streams):
        read_ns = time.monotonic_ns()
        sent_ns = place_sent_ns(value)
        if sent_ns is not None and sent_ns >= plan.from_ns:
            found.append(read_ns - sent_ns)
        elif is_last(value):
            going_on.discard(partition)
            if not going_on:
                break
    return found


def main() -> None:
    """Read, and print the figures."""
    times_ns = _times_ns(Plan.parse(sys.argv[1]))
    figures: dict[str, float] = {"places": len(times_ns)}
    for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0)):
        figures |= {name: percentile_ms(times_ns, share)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
