"""Dead letters, for people and as JSON lines."""

from processor.cli.columns import row_line
from processor.cli.output import Paint
from processor.cli.text import bytes_fields, dump_json, excerpt, safe
from processor.runtime.ports import InputRecord
from schemas.dead_letter import ReadDeadLetter, read_dead_letter
from schemas.timestamp import format_time, record_time_us

_HEADS = ("letter", "written at (UTC)", "event", "why", "value (its beginning)")
_WIDTHS = (8, 24, 8, 40, 0)
_VALUE_CHARS = 100


def dead_letter_heads(paint: Paint) -> str:
    """The heads above the lines."""
    return paint(row_line(_HEADS, _WIDTHS), "bold")


def dead_letter_line(partition: int, record: InputRecord) -> str:
    """One dead letter for people: its place, when, the event's place, why, and how it begins."""
    letter = read_dead_letter(record.headers)
    cells = (
        f"{partition}/{record.offset}",
        format_time(record_time_us(record.timestamp)),
        f"{letter.source_partition}/{letter.source_offset}" if letter.is_ours else "?",
        safe(f"{letter.reason}: {letter.detail}") if letter.is_ours else "not the processor's",
        excerpt(record.value, _VALUE_CHARS),
    )
    return row_line(cells, _WIDTHS)


def dead_letter_json(partition: int, record: InputRecord) -> str:
    """One dead letter as a JSON object; what is no UTF-8 is in base64."""
    letter = read_dead_letter(record.headers)
    content: dict[str, object] = {
        "letter": {"partition": partition, "offset": record.offset},
        "written_at": format_time(record_time_us(record.timestamp)),
    }
    if letter.is_ours:
        content |= _why(letter)
    content |= bytes_fields("key", record.key)
    content |= bytes_fields("value", record.value)
    content["headers"] = [
        {"name": name, **bytes_fields("value", value)} for name, value in letter.headers
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
