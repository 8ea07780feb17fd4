"""Dead letters, for people and as JSON lines."""

from processor.cli.columns import row_line
from processor.cli.output import Paint
from processor.cli.text import bytes_fields, dump_json, excerpt, safe
from processor.runtime.letters import Letter
from schemas.dead_letter import ReadDeadLetter
from schemas.timestamp import format_time, record_time_us

_HEADS = ("letter", "written at (UTC)", "event", "why", "value (its beginning)")
_WIDTHS = (8, 24, 8, 40, 0)
_VALUE_CHARS = 100


def dead_letter_heads(paint: Paint) -> str:
    """The heads above the lines."""
    return paint(row_line(_HEADS, _WIDTHS), "bold")


def dead_letter_line(letter: Letter) -> str:
    """One dead letter for people: its place, when, the event's place, why, and how it begins."""
    said, record = letter.said, letter.record
    why = f"{said.reason}: {said.detail}" if said.is_ours else "not the processor's"
    if letter.replays:
        why += f" (put back as {letter.replays[-1].event})"
    cells = (
        str(letter.place),
        format_time(record_time_us(record.timestamp)),
        f"{said.source_partition}/{said.source_offset}" if said.is_ours else "?",
        safe(why),
        excerpt(record.value, _VALUE_CHARS),
    )
    return row_line(cells, _WIDTHS)


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
