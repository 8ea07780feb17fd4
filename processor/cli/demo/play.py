"""Playing the example: each event after the answer to the one before, and the list each time."""

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from processor.app.produce import EventSink
from processor.app.read import Reading
from processor.cli.demo.example import answer_words, event_words, example_events
from processor.cli.terminal.background import Background, beside, in_background
from processor.cli.terminal.following import Following
from processor.cli.terminal.output import Paint, write
from processor.errors import KafkaUnavailable
from processor.market import WireEvent
from processor.wire.answer import Answer, parse_answer
from processor.wire.record import InputRecord

_ANSWER_TIMEOUT_S: Final = 60


async def play_example(
    reading: Reading,
    producer: EventSink,
    servers: str,
    paint: Paint,
    background: Sequence[Background],
) -> None:
    """Send the events one by one, and print the list that a reader of the topics sees."""
    answers = _Answers(servers)
    topic = reading.topics.results
    offsets = {stream: bounds.end for stream, bounds in (await reading.ends(topic)).items()}
    async with in_background(reading.follow(topic, offsets, answers)) as following:
        for number, event in enumerate(example_events(), 1):
            sending = _send(event, producer, answers)
            answer = await beside(sending, *following, *background)
            live = await beside(_labels(reading, paint), *background)
            write(
                [
                    "",
                    paint(f"{number}. {event_words(event)}", "bold"),
                    f"   answer  {answer_words(answer)}",
                    f"   live    {live}",
                ]
            )
    write([""])


async def _send(event: WireEvent, producer: EventSink, answers: "_Answers") -> Answer:
    await producer.send(event["user_id"], json.dumps(event).encode())
    await producer.flush()
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            return await answers.to(event["event_id"])
    except TimeoutError:
        raise KafkaUnavailable(
            f"no answer in {_ANSWER_TIMEOUT_S} s: what the processor last said is above"
        ) from None


async def _labels(reading: Reading, paint: Paint) -> str:
    live = [order for _, order in await reading.live_orders()]
    labels = (
        paint(one.label(), "yellow") if one.status == "paused" else one.label() for one in live
    )
    return ", ".join(labels) or "(none)"


class _Answers(Following):
    """An `Audience` that finds the answer to an event by the event's id."""

    def __init__(self, servers: str) -> None:
        super().__init__(servers)
        self._found: dict[str, Answer] = {}
        self._more = asyncio.Event()

    def on_records(self, partition: int, records: Sequence[InputRecord]) -> None:
        """Part of `Audience`."""
        for record in records:
            answer = parse_answer(record.value or b"")
            self._found[answer.get("event_id", "")] = answer
        self._more.set()

    async def to(self, event_id: str) -> Answer:
        """The answer to an event, once it is there."""
        while event_id not in self._found:
            self._more.clear()
            await self._more.wait()
        return self._found[event_id]
