"""``live-orders results``: the answers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer

from processor.app.read import Reading, open_log
from processor.cli.render.answer_lines import answer_line
from processor.cli.render.text import safe_json
from processor.cli.terminal.following import Following
from processor.cli.terminal.options import BootstrapServers, Json, TopicPrefix, User
from processor.cli.terminal.output import painter, say, write
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import patiently
from processor.reader.read_range import batches
from processor.settings import Settings, load_settings
from processor.topics import Topics
from processor.wire.answer import Answer, parse_answer
from processor.wire.record import InputRecord


def results(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then go on with new ones, until Ctrl-C.")
    ] = False,
    user: User = None,
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print what became of each event.

    All answers there are, stream by stream, each in the stream that finished the event.

    A line such as "5/3 pause order2 of alice: rejected: already_paused" begins with the event's
    partition and offset in orders.events.

    "forwarded" means that another stream finishes the event, which has one more line then.
    "revoked" takes back the "applied" of a place: an order of another stream had the id first.
    """
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    perform(_print(settings, follow, user, json))


async def _print(settings: Settings, follow: bool, user: str | None, json: bool) -> None:
    async with patiently(open_log(settings), settings.bootstrap_servers) as reading:
        topic = reading.topics.results
        printer = _Printer(settings.bootstrap_servers, reading.topics, user, json)
        offsets = await _print_there(reading, topic, printer)
        if follow:
            await reading.follow(topic, offsets, printer)


async def _print_there(reading: Reading, topic: str, printer: "_Printer") -> dict[int, int]:
    """Print what is there now; where each stream goes on."""
    ends = await reading.ends(topic)
    for stream, bounds in ends.items():
        async for records in batches(reading.log, topic, stream, bounds):
            printer.on_records(stream, records)
    return {stream: bounds.end for stream, bounds in ends.items()}


class _Printer(Following):
    """An `Audience` that prints answers."""

    def __init__(self, servers: str, topics: Topics, user: str | None, json: bool) -> None:
        super().__init__(servers)
        self._topics = topics
        self._user = user
        self._json = json
        self._paint = painter()

    def on_records(self, partition: int, records: Sequence[InputRecord]) -> None:
        """Part of `Audience`."""
        write(self._lines(partition, records))

    def _lines(self, partition: int, records: Iterable[InputRecord]) -> Iterator[str]:
        for record in records:
            value = record.value or b""
            try:
                answer = parse_answer(value)
            except ValueError:
                say(
                    f"live-orders: {self._topics.results}/{partition} at offset {record.offset} is "
                    "no answer, so it is left out: find out who else writes to the topic"
                )
                continue
            if self._user in (None, answer.get("user_id")):
                yield safe_json(value) if self._json else self._line(answer)

    def _line(self, answer: Answer) -> str:
        return answer_line(answer, self._paint, self._topics.option)
