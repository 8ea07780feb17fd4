"""Dead letters, for people and as JSON lines."""

from processor.cli.render.fitting import Cell, Column, Shape, fitted, line, unfitted
from processor.cli.render.text import bytes_fields, dump_json, excerpt, safe
from processor.cli.terminal.output import Paint
from processor.reader.dead_letters import Letter
from processor.wire.dead_letter import ReadDeadLetter
from processor.wire.timestamp import format_time, record_time_us

_VALUE_CHARS = 100
_COLUMNS = (
    Column("letter", "letter", 6, 8, 12),
    Column("written at (UTC)", "at (UTC)", 24, 24, 24),
    Column("event", "event", 6, 8, 12),
    Column("why", "why", 32, 40, 70),
    Column("value (its beginning)", "value", 10, 30, _VALUE_CHARS),
)
_LAYOUTS = ((0, 1, 2, 3, 4), (0, 2, 3, 4), (0, 2, 3), (0, 3))


def dead_letter_shape(room: int | None) -> Shape:
    """The columns of letters in lines no longer than there is room; None is no terminal."""
    return unfitted(_COLUMNS, _LAYOUTS[0]) if room is None else fitted(_COLUMNS, _LAYOUTS, room)


def dead_letter_heads(shape: Shape, paint: Paint) -> str:
    """The heads above the lines."""
    return paint(shape.heads(), "bold")


def dead_letter_line(letter: Letter, shape: Shape) -> str:
    """One dead letter for people: its place, when, the event's place, why, and how it begins."""
    said, record = letter.said, letter.record
    why = f"{said.reason}: {said.detail}" if said.is_ours else "not the processor's"
    again = f" (put back as {letter.replays[-1].event})" if letter.replays else ""
    cells = (
        Cell(str(letter.place)),
        Cell(format_time(record_time_us(record.timestamp))),
        Cell(f"{said.source_partition}/{said.source_offset}" if said.is_ours else "?"),
        Cell(safe(why), again),
        Cell(excerpt(record.value, _VALUE_CHARS)),
    )
    return line(shape.cells(cells))


def dead_letter_json(letter: Letter) -> str:
    """One dead letter as a JSON object; what is no UTF-8 is in base64."""
    said, record = letter.said, letter.record
    content: dict[str, object] = {
        "letter": letter.place._asdict(),
        "written_at": format_time(record_time_us(record.timestamp)),
    }
    if said.is_ours:
        content |= _why(said)
    content |= bytes_fields("key", record.key)
    content |= bytes_fields("value", record.value)
    content["headers"] = [
        {"name": name, **bytes_fields("value", value)} for name, value in said.headers
    ]
    if letter.replays:
        content["replays"] = [
            {"event": one.event._asdict(), "at": format_time(one.at_us)} for one in letter.replays
        ]
    return dump_json(content)


def _why(letter: ReadDeadLetter) -> dict[str, object]:
    why: dict[str, object] = {
        "source": {
            "topic": letter.source_topic,
            "partition": letter.source_partition,
            "offset": letter.source_offset,
        },
        "reason": letter.reason,
        "detail": letter.detail,
    }
    return {**why, "truncated": True} if letter.truncated else why
