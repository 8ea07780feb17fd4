"""``live-orders results``: the answers so far."""

import asyncio

import typer

from processor.bootstrap import open_log
from processor.cli.options import BootstrapServers, Json, TopicPrefix
from processor.runtime.log import batches
from processor.settings import Settings, load_settings
from schemas.answer import Answer, parse_answer


def results(
    json: Json = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Print all answers there are, stream by stream."""
    settings = load_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    asyncio.run(_print(settings, json))


async def _print(settings: Settings, json: bool) -> None:
    async with open_log(settings) as reading:
        topic = reading.topics.results
        for stream in range(reading.num_streams):
            bounds = await reading.log.bounds(topic, stream)
            async for records in batches(reading.log, topic, stream, bounds):
                for record in records:
                    value = record.value or b""
                    typer.echo(value.decode() if json else _line(parse_answer(value)))


def _line(answer: Answer) -> str:
    """One answer for people: where, what, whose, and what became of it."""
    where = f"{answer['input']['partition']}/{answer['input']['offset']}"
    what = " ".join(
        part for part in (answer.get("type", "?"), answer.get("order_id")) if part is not None
    )
    whose = f" of {answer['user_id']}" if "user_id" in answer else ""
    became: str = answer["result"]
    if "reason" in answer:
        became += f": {answer['reason']}"
    if "count" in answer:
        became += f", {answer['count']} removed"
    return f"{where} {what}{whose}: {became}"
