"""One dead letter, whole, for people."""

from collections.abc import Iterable, Iterator

from processor.cli.render.json_layout import indented
from processor.cli.render.text import counted, safe
from processor.cli.terminal.output import Paint
from processor.reader.dead_letters import Letter
from processor.wire.timestamp import format_time, record_time_us

_NAME_WIDTH = 12
_DUMP_BYTES = 16


def letter_view(letter: Letter, events_topic: str, paint: Paint) -> Iterator[str]:
    """All of a letter, line by line."""
    for name, text in _facts(letter, events_topic):
        yield f"{paint(name.ljust(_NAME_WIDTH), 'bold')}{text}"
    value = letter.record.value
    if value:
        yield ""
        yield from value_lines(value)


def _facts(letter: Letter, events_topic: str) -> Iterable[tuple[str, str]]:
    record, said = letter.record, letter.said
    yield "letter", str(letter.place)
    yield "written at", format_time(record_time_us(record.timestamp))
    if said.is_ours:
        yield "event", f"{safe(said.source_topic)} {said.source_partition}/{said.source_offset}"
        yield "reason", safe(said.reason)
        yield "detail", safe(said.detail)
    else:
        yield "event", "unknown: the letter is not the processor's"
    yield "key", _short(record.key)
    for name, content in said.headers:
        yield "header", f"{safe(name)}: {_short(content)}"
    if said.truncated:
        yield "cut", "the record did not fit, so headers and the end of the value are missing"
    for replay in letter.replays:
        yield "put back", f"as {events_topic} {replay.event} at {format_time(replay.at_us)}"
    if not letter.replays:
        yield "put back", "never"
    yield "value", _kind(record.value)


def _short(content: bytes | None) -> str:
    return "(none)" if content is None else safe(content.decode("utf-8", "backslashreplace"))


def _kind(value: bytes | None) -> str:
    if value is None:
        return "(no value)"
    return counted(len(value), "byte") + ("" if _is_text(value) else ", not UTF-8")


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def value_lines(value: bytes) -> Iterator[str]:
    """A value, safe to show: JSON laid out, other text line by line, else a dump of the bytes."""
    if not _is_text(value):
        yield from _dump(value)
        return
    text = value.decode()
    yield from map(safe, (indented(text) or text).split("\n"))


def _dump(value: bytes) -> Iterator[str]:
    for at in range(0, len(value), _DUMP_BYTES):
        row = value[at : at + _DUMP_BYTES]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{at:08x}  {row.hex(' ').ljust(3 * _DUMP_BYTES)} {shown}"
