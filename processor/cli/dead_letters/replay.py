"""Putting dead letters back on the input topic, none of them twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import typer

from processor.app.read import Reading, open_log
from processor.app.replay import Replaying, open_replay
from processor.cli.dead_letters.edit import Edited, edit_letters
from processor.cli.dead_letters.selection import Selection, read_all
from processor.cli.render.text import counted, dump_json, safe
from processor.cli.terminal.output import say, write
from processor.cli.terminal.signals import perform
from processor.cli.terminal.spinner import patiently
from processor.core.replay import put_back
from processor.errors import KafkaUnavailable, UsageError
from processor.reader.dead_letters import Letter
from processor.settings import Settings
from processor.topics import Topics
from processor.wire.dead_letter import record_bytes
from processor.wire.replay import Position, PutBack

_BATCH_LETTERS = 200


@dataclass(slots=True)
class Replay:
    """The work to do, and how far it is."""

    settings: Settings
    selection: Selection
    again: bool
    json: bool
    edited: Edited = field(default_factory=Edited)
    left_out: int = 0
    put_back_before: int = 0
    done: int = 0
    refused_again: int = 0
    last: Position | None = None


def run_replay(replay: Replay, *, edit: bool, dry_run: bool) -> None:
    """Put letters back, or say what would be; what was edited and is not put back is kept.

    Raises:
        UsageError: a letter that was named cannot be put back.
        KafkaUnavailable: Kafka failed, or another replay has begun.
    """
    unsent = replay.edited.unsent
    try:
        _run(replay, edit, dry_run)
    except (UsageError, KafkaUnavailable) as error:
        if not unsent:
            raise
        raise type(error)(f"{error}; {replay.edited.kept()}") from error
    except typer.Exit:
        if unsent:
            say(replay.edited.kept())
        raise
    if unsent:
        say(replay.edited.kept())


def _run(replay: Replay, edit: bool, dry_run: bool) -> None:
    if edit or replay.selection.places:
        found = perform(_read(replay))
        if replay.selection.places:
            _require_whole(found, edit)
        if edit:
            _edit(replay, found)
            if not replay.edited.events:
                say("nothing was mended, so nothing was put back")
                return
    if dry_run:
        perform(_dry_run(replay))
        say(f"{counted(replay.done, 'letter')} would be put back{_left(replay)}{_again(replay)}")
        return
    try:
        perform(_put_back(replay))
    except typer.Exit:
        say(f"live-orders: ended after {counted(replay.done, 'letter')}; the same again goes on")
        raise
    say(f"{counted(replay.done, 'letter')} put back{_left(replay)}{_again(replay)}")
    if replay.last is not None:
        option = Topics(replay.settings.topic_prefix).option
        say(
            f"live-orders results{option} shows what became of them, by the numbers after the "
            f"arrow, {replay.last} for one"
        )


def _edit(replay: Replay, found: list[Letter]) -> None:
    """Have the letters mended; from then on it is about those that were."""
    wanted = [one for one in found if not _is_left_out(replay, one, _why_not(replay, one))]
    edit_letters(wanted, replay.settings.max_event_bytes, replay.edited)
    replay.left_out += len(wanted) - len(replay.edited.events)
    replay.selection = Selection(frozenset(replay.edited.events), [])


def _left(replay: Replay) -> str:
    if not replay.left_out:
        return ""
    before, count = "", replay.put_back_before
    if count:
        some = "" if count == replay.left_out else f"{count:,} "
        before = f" ({some}put back before: --again)"
    return f", {replay.left_out:,} left out{before}"


def _again(replay: Replay) -> str:
    """The refusals that the processor will give some of them."""
    if not replay.refused_again:
        return ""
    return f"; {replay.refused_again:,} will be refused again: --edit mends them"


async def _read(replay: Replay) -> list[Letter]:
    opening = open_log(replay.settings)
    async with patiently(opening, replay.settings.bootstrap_servers) as reading:
        return await read_all(reading, replay.selection)


def _require_whole(found: list[Letter], edit: bool) -> None:
    """Refuse what is named and cannot go back as it is, before anything goes."""
    for letter in found:
        if not letter.said.is_ours or (letter.said.truncated and not edit):
            raise UsageError(f"{letter.place} {_flaw(letter)}; nothing was put back")


def _flaw(letter: Letter) -> str:
    if not letter.said.is_ours:
        return "was not written by the processor, so nobody knows what it was"
    return "was cut when it was written, so what is left is not the event: mend it with --edit"


def _why_not(replay: Replay, letter: Letter) -> str:
    """Why a letter is not put back, whatever is made of it; nothing when it is."""
    if not letter.said.is_ours:
        return _flaw(letter)
    if letter.replays and not replay.again:
        return f"was put back already, as {letter.replays[-1].event}: once more with --again"
    return ""


def _is_left_out(replay: Replay, letter: Letter, why: str) -> bool:
    """Whether there is a reason; say it, but not of all that earlier runs have put back."""
    if not why:
        return False
    replay.left_out += 1
    if letter.replays and not replay.again:
        replay.put_back_before += 1
    if not letter.replays or replay.selection.places:
        say(f"live-orders: {letter.place} {why}; left out")
    return True


async def _dry_run(replay: Replay) -> None:
    opening = open_log(replay.settings)
    async with patiently(opening, replay.settings.bootstrap_servers) as reading:
        ends = await reading.ends(reading.topics.dead_letters)
        async for batch in replay.selection.read(reading, ends):
            ready = list(_ready(replay, reading, batch, None))
            _count(replay, ready)
            shape = _plan_json if replay.json else _plan
            write(shape(one, reading.topics.events) for one in ready)


async def _put_back(replay: Replay) -> None:
    opening = open_replay(replay.settings)
    async with patiently(opening, replay.settings.bootstrap_servers) as replaying:
        async for batch in replay.selection.read(replaying.reading, replaying.ends):
            ready = list(_ready(replay, replaying.reading, batch, replaying.max_record_bytes))
            for begin in range(0, len(ready), _BATCH_LETTERS):
                await _send(replay, replaying, ready[begin : begin + _BATCH_LETTERS])


async def _send(replay: Replay, replaying: Replaying, batch: list[PutBack]) -> None:
    places = await replaying.producer.put_back(batch)
    _count(replay, batch)
    replay.last = places[-1]
    for one in batch:
        replay.edited.unsent.pop(one.letter, None)
    show = _line_json if replay.json else _line
    events = replaying.reading.topics.events
    write(show(one, events, place) for one, place in zip(batch, places, strict=True))


def _count(replay: Replay, batch: list[PutBack]) -> None:
    replay.done += len(batch)
    replay.refused_again += sum(bool(one.problem) for one in batch)


def _ready(
    replay: Replay, reading: Reading, batch: list[Letter], max_record_bytes: int | None
) -> Iterator[PutBack]:
    """The events that go back of these letters; it says which do not."""
    for letter in batch:
        why = _why_not(replay, letter)
        if letter.said.truncated and letter.place not in replay.edited.events:
            why = why or _flaw(letter)
        one = put_back(
            letter.place,
            letter.record,
            letter.said,
            edited=replay.edited.events.get(letter.place),
            num_streams=reading.num_streams,
            max_event_bytes=replay.settings.max_event_bytes,
        )
        size_bytes = record_bytes(*one.record)
        if max_record_bytes is not None and size_bytes > max_record_bytes:
            why = why or f"has {size_bytes} bytes, more than {reading.topics.events} takes"
        if not _is_left_out(replay, letter, why):
            yield one


def _still(one: PutBack) -> str:
    return f" (still {safe(one.problem)})" if one.problem else ""


def _plan(one: PutBack, _events: str) -> str:
    return f"{one.letter} -> {one.partition}/...{_still(one)}"


def _plan_json(one: PutBack, events: str) -> str:
    return _json(one, {"topic": events, "partition": one.partition})


def _line(one: PutBack, _events: str, place: Position) -> str:
    return f"{one.letter} -> {place}{_still(one)}"


def _line_json(one: PutBack, events: str, place: Position) -> str:
    return _json(one, {"topic": events, **place._asdict()})


def _json(one: PutBack, event: dict[str, object]) -> str:
    content: dict[str, object] = {"letter": one.letter._asdict(), "event": event}
    return dump_json({**content, "problem": one.problem} if one.problem else content)
