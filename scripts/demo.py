"""What `scripts/demo` runs: a Kafka, the processor, the example's events, and a reader's list."""

import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processor.bootstrap import make_topics, open_log
from processor.embedded import embedded_broker
from processor.errors import BrokenInvariant, KafkaUnavailable, LiveOrdersError
from processor.kafka.errors import for_command
from processor.settings import Settings, load_settings
from processor.topics import Topics
from schemas.answer import Answer, parse_answer

ROOT: Final = Path(__file__).resolve().parent.parent
STREAMS: Final = 4
ANSWER_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 15

PLACES: Final = (
    ("order1", "alice", "BTC", "10", "50000.0"),
    ("order2", "alice", "ETH", "100", "3000.0"),
    ("order3", "bob", "BTC", "5", "51000.0"),
    ("order4", "bob", "ETH", "50", "3100.0"),
)
EVENTS: Final[tuple[dict[str, str], ...]] = (
    *(
        {
            "type": "place",
            "order_id": order_id,
            "user_id": user_id,
            "currency": currency,
            "amount": amount,
            "price": price,
        }
        for order_id, user_id, currency, amount, price in PLACES
    ),
    {"type": "pause", "order_id": "order2", "user_id": "alice"},
    {"type": "pause", "order_id": "order3", "user_id": "bob"},
    {"type": "cancel", "order_id": "order2", "user_id": "alice"},
    {"type": "cancel_all_by_user", "user_id": "alice"},
)


T = TypeVar("T")


def say(text: str = "") -> None:
    """Print a line at once: others write to the same terminal."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever read has enough; the rest goes nowhere, and cleaning up is still to come.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def to_its_end(cleaning: Coroutine[Any, Any, T]) -> T:
    """Clean up, even when another signal comes meanwhile."""
    task = asyncio.create_task(cleaning)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()


# Kafka: the user's own, or one for this run only.


@asynccontextmanager
async def a_kafka() -> AsyncIterator[Settings]:
    """Settings for a Kafka with this run's topics on it; afterwards there is no trace of them."""
    given = load_settings()
    if "bootstrap_servers" in given.model_fields_set:
        name = f"demo-{uuid.uuid4().hex[:8]}"
        settings = load_settings(topic_prefix=f"{name}.", app_id=name)
        say(f"Kafka      {settings.bootstrap_servers}, as LIVE_ORDERS_BOOTSTRAP_SERVERS says")
        made = False
        try:
            await make_topics(settings, STREAMS, None)
            made = True
            yield settings
        finally:
            await to_its_end(delete_topics(settings, made))
        return
    async with embedded_broker() as broker:
        say(f"Kafka      {broker.servers}, the embedded broker, for this demo only")
        settings = load_settings(
            bootstrap_servers=broker.servers, topic_prefix="orders.", app_id="live-orders"
        )
        await make_topics(settings, STREAMS, None)
        yield settings
    say("Kafka      stopped; it kept nothing")


async def delete_topics(settings: Settings, made: bool) -> None:
    """Leave nothing on a Kafka that is not ours; some may be there even if not all were made."""
    topics = Topics(settings.topic_prefix)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    try:
        await admin.start()
        await admin.delete_topics(list(topics.all))
        say(f"topics     {topics.prefix}* deleted")
    except (KafkaError, OSError) as error:
        if made:
            say(f"topics     {topics.prefix}* are still there ({error!r}): please delete them")
    finally:
        await admin.close()


# The processor: the same command that a user would start.


class Processor:
    """`live-orders run` as a process, its log in a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.ended = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, settings: Settings, log: Path) -> "Processor":
        """Start it on these settings."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                ROOT / ".venv/bin/live-orders",
                "run",
                f"--bootstrap-servers={settings.bootstrap_servers}",
                f"--topic-prefix={settings.topic_prefix}",
                f"--app-id={settings.app_id}",
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(process, log)

    async def stop(self) -> int:
        """SIGTERM, and SIGKILL for one that does not end; its exit code."""
        if not self.ended.done():
            self._process.terminate()
            await asyncio.wait([self.ended], timeout=STOP_TIMEOUT_S)
        if not self.ended.done():
            self._process.kill()
        return await self.ended

    def complain(self) -> None:
        """Show the end of its log."""
        lines = self._log.read_text(errors="replace").splitlines()
        print(*lines[-10:], sep="\n", file=sys.stderr, flush=True)


# The reader: a plain client of the output topics.


class AnswerReader:
    """Waits for the answer to an event, as any client of `orders.results` can."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def answer_to(self, partition: int, offset: int) -> Answer:
        """The answer to the event at this position."""
        while True:
            record = await self._consumer.getone()
            answer = parse_answer(record.value or b"")
            if answer["input"] == {"partition": partition, "offset": offset}:
                return answer


@asynccontextmanager
async def clients(settings: Settings) -> AsyncIterator[tuple[AIOKafkaProducer, AnswerReader]]:
    """A producer of events and a reader of answers."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers, enable_idempotence=True
    )
    consumer = AIOKafkaConsumer(
        Topics(settings.topic_prefix).results,
        bootstrap_servers=settings.bootstrap_servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        await producer.start()
        await consumer.start()
        yield producer, AnswerReader(consumer)
    finally:
        await producer.stop()
        await consumer.stop()


async def answered(reader: AnswerReader, where: tuple[int, int], processor: Processor) -> Answer:
    """The answer, unless the processor ends or lets us wait for too long."""
    waiting = asyncio.create_task(reader.answer_to(*where))
    try:
        await asyncio.wait(
            [waiting, processor.ended],
            timeout=ANSWER_TIMEOUT_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if waiting.done():
            return waiting.result()
    finally:
        waiting.cancel()
    processor.complain()
    if processor.ended.done():
        code = processor.ended.result()
        error = BrokenInvariant(f"the processor ended with exit code {code}: see its log above")
        error.exit_code = code if code in (2, 3) else error.exit_code
        raise error
    raise KafkaUnavailable(f"no answer in {ANSWER_TIMEOUT_S} s: see the processor's log above")


# The example.


def describe_event(event: dict[str, str]) -> str:
    """The event in a few words."""
    match event["type"]:
        case "place":
            return (
                f"place {event['order_id']} of {event['user_id']}: "
                f"{event['amount']} {event['currency']} at {event['price']}"
            )
        case "cancel_all_by_user":
            return f"cancel all of {event['user_id']}"
        case command:
            return f"{command} {event['order_id']} of {event['user_id']}"


def describe_answer(answer: Answer) -> str:
    """The answer in a few words."""
    words: list[str] = [answer["result"]]
    if "reason" in answer:
        words.append(answer["reason"])
    if "count" in answer:
        words.append(f"{answer['count']} removed")
    return ", ".join(words)


async def play(settings: Settings, processor: Processor) -> None:
    """Send the example's events, each after the answer to the one before, and list each time."""
    topics = Topics(settings.topic_prefix)
    with for_command(settings.bootstrap_servers):
        async with clients(settings) as (producer, reader), open_log(settings) as reading:
            for number, event in enumerate(EVENTS, 1):
                sent = await producer.send_and_wait(
                    topics.events, json.dumps(event).encode(), key=event["user_id"].encode()
                )
                answer = await answered(reader, (sent.partition, sent.offset), processor)
                # What `live-orders list` prints, without the start of another Python each time.
                live = [order.label() for _, order in await reading.live_orders()]
                say()
                say(f"{number}. {describe_event(event)}")
                say(f"   answer  {describe_answer(answer)}")
                say(f"   live    {', '.join(live) or '(none)'}")
    say()


async def demo() -> None:
    """All of it."""
    with tempfile.TemporaryDirectory(prefix="live-orders-demo-") as folder:
        async with a_kafka() as settings:
            say(f"topics     {settings.topic_prefix}*, {STREAMS} streams")
            processor = await Processor.start(settings, Path(folder, "processor.log"))
            say("processor  live-orders run")
            try:
                await play(settings, processor)
            finally:
                asked = time.monotonic()
                code = await to_its_end(processor.stop())
                took_s = time.monotonic() - asked
                say(f"processor  SIGTERM: exit code {code} after {took_s:.1f} s")
            if code != 0:
                processor.complain()
                raise BrokenInvariant("the processor did not stop cleanly: see its log above")


async def until_interrupted() -> int:
    """Run the demo; a signal ends it early, but not its cleaning up."""
    running = asyncio.create_task(demo())
    received: list[int] = []

    def interrupt(number: int) -> None:
        if not received and not running.done():
            print("\nscripts/demo: interrupted, cleaning up ...", file=sys.stderr, flush=True)
            running.cancel()
        received.append(number)

    # What aiokafka calls an error is mostly one that it retries.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    try:
        await running
    except asyncio.CancelledError:
        return 128 + received[0]
    except LiveOrdersError as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return error.exit_code
    return 128 + received[0] if received else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(until_interrupted()))
