"""Whatever bytes come in, the schemas say what they are, exactly and without falling over."""

import json
import re
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from processor.core.directory.claim_records import claim_records, read_claims
from processor.core.directory.directory_records import DirectoryTable, directory_records
from processor.core.directory.messages import Claim, Command, Correction, ToShard, ToStream
from processor.core.directory.routed_records import read_routed, routed_records
from processor.core.orders.order import Order, from_record
from processor.core.orders.records import answer_records, order_json
from processor.wire.answer import ANSWER, parse_answer
from processor.wire.claim import CLAIM
from processor.wire.dead_letter import dead_letter, record_bytes
from processor.wire.event import Refusal, parse_event
from processor.wire.forwarded import NOTE
from processor.wire.live_order import LIVE_ORDER, parse_live_order
from processor.wire.owner import OWNER, parse_owner
from processor.wire.record import Header, Record
from processor.wire.revoke import REVOKE
from processor.wire.timestamp import MAX_TIME_US, format_time, parse_time, record_time_us
from tests.builders import encode, place_fields, write_answer
from tests.model import partition_of
from tests.property.strategies import events

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=70), events
)
any_json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = [
    "type",
    "schema",
    "order_id",
    "user_id",
    "currency",
    "amount",
    "price",
    "event_id",
    "occurred_at",
    "count",
]
# An event with some fields replaced, added or gone.
almost_events = st.tuples(
    events,
    st.dictionaries(st.sampled_from(FIELDS), any_json, max_size=3),
    st.sets(st.sampled_from(FIELDS), max_size=1),
).map(lambda drawn: {k: v for k, v in (drawn[0] | drawn[1]).items() if k not in drawn[2]})
encoded = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    any_json.map(lambda value: json.dumps(value).encode()),
    almost_events.map(lambda value: json.dumps(value).encode()),
    almost_events.map(lambda value: json.dumps(value, ensure_ascii=False).encode()),
    almost_events.map(lambda value: json.dumps(value).encode("utf-16")),
)


@given(encoded)
def test_any_bytes_are_an_event_or_a_refusal_in_one_line(value: bytes) -> None:
    parsed = parse_event(value)
    if isinstance(parsed, Refusal):
        assert parsed.reason in ("malformed", "invalid")
        assert parsed.detail
        assert len(parsed.detail.splitlines()) == 1


@given(encoded)
def test_what_is_read_of_a_refused_event_is_valid(value: bytes) -> None:
    parsed = parse_event(value)
    assume(isinstance(parsed, Refusal))
    assert isinstance(parsed, Refusal)
    for read in (parsed.order_id, parsed.user_id):
        assert read is None or (0 < len(read) <= 64 and read.isprintable() and " " not in read)
    answer = write_answer(
        0,
        (
            0, parsed.type, parsed.order_id, parsed.user_id, parsed.event_id, None,
            parsed.reason, None,
        ),
    )  # fmt: skip
    assert answer == ANSWER.dump_json(parse_answer(answer))


@given(events, st.integers(0, 1000), st.binary(max_size=3))
def test_a_damaged_event_never_raises(event: dict[str, Any], at: int, inserted: bytes) -> None:
    value = encode(**event)
    at %= len(value)
    for damaged in (value[:at], value[:at] + inserted + value[at + 1 :]):
        parse_event(damaged)


digits = st.text("0123456789", min_size=1, max_size=40)
plain_numbers = st.one_of(digits, st.builds("{}.{}".format, digits, digits))
json_numbers = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "-"]),
    plain_numbers.map(lambda text: re.sub(r"^0+(?=[0-9])", "", text)),
    st.one_of(
        st.just(""),
        st.builds("{}{}".format, st.sampled_from(["e", "E", "e+", "E-"]), st.integers(0, 45)),
    ),
)


def amount_of(written: str) -> str | Refusal:
    fields = json.dumps(place_fields(amount=0)).replace('"amount": 0', f'"amount": {written}')
    parsed = parse_event(fields.encode())
    if isinstance(parsed, Refusal):
        return parsed
    assert parsed["type"] == "place"
    return parsed["amount"]


def is_money(text: str) -> bool:
    """The limits of the design, for digits written out."""
    whole, _, fraction = text.partition(".")
    fits = len(whole) + len(fraction) <= 38 and len(fraction) <= 18
    return fits and any(digit in "123456789" for digit in text)


@given(plain_numbers)
def test_money_as_a_string_is_kept_to_the_letter_or_refused(text: str) -> None:
    amount = amount_of(f'"{text}"')
    if is_money(text):
        assert amount == text
    else:
        assert isinstance(amount, Refusal)


@given(json_numbers)
@example("0.1234567890123456789")
@example("12345678901234567890123456789012345678")
def test_money_as_a_number_is_exact_or_refused(text: str) -> None:
    written_out = format(Decimal(text), "f")
    amount = amount_of(text)
    if is_money(written_out) and not text.startswith("-"):
        assert amount == written_out
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", written_out)
    else:
        assert isinstance(amount, Refusal)


@given(st.text(max_size=50))
def test_any_text_that_is_taken_as_money_is_plain_ascii_digits(text: str) -> None:
    amount = amount_of(json.dumps(text))
    assert isinstance(amount, Refusal) or re.fullmatch(r"[0-9]+(\.[0-9]+)?", amount)


@given(st.integers(0, MAX_TIME_US))
def test_times_survive_the_round_trip(time_us: int) -> None:
    assert parse_time(format_time(time_us)) == time_us


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_kafka_timestamp_can_be_written(timestamp_ms: int) -> None:
    time_us = record_time_us(timestamp_ms)
    assert parse_time(format_time(time_us)) == time_us


printable_ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64).filter(
    lambda text: text.isprintable() and " " not in text
)
times_us = st.integers(0, MAX_TIME_US)
seqs = st.integers(0, 2**63 - 1)
orders = st.builds(
    Order,
    printable_ids, printable_ids, st.just("BTC"), st.just("1.50"), st.just("2"),
    st.sampled_from(["active", "paused"]), times_us, times_us, seqs, seqs,
)  # fmt: skip


@given(orders, st.integers(0, 10_000))
def test_a_live_order_survives_and_is_what_pydantic_would_write(order: Order, stream: int) -> None:
    value = order_json(order, stream)
    assert from_record(parse_live_order(value)) == order
    assert value == LIVE_ORDER.dump_json(parse_live_order(value))


sizes = st.one_of(st.integers(0, 100), st.integers(0, 10_000))
blobs = st.one_of(st.none(), sizes.map(lambda size: b"x" * size))
header_names = st.one_of(st.text(max_size=5), sizes.map(lambda size: "😀" * size))
numbers = st.integers(0, 2**31 - 1)
offsets = st.integers(-1, 2**63 - 1)
claims = st.tuples(st.just("claim"), printable_ids, printable_ids, numbers, seqs, numbers, offsets)
releases = st.tuples(st.just("release"), printable_ids, numbers, seqs)
header_lists = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)))
raws = st.tuples(
    st.none() | st.binary(max_size=9), st.binary(max_size=50), header_lists,
    st.integers(-(2**63), 2**63 - 1),
)  # fmt: skip
commands = st.tuples(st.just("command"), printable_ids, numbers, offsets, raws)
routed_commands = st.tuples(st.just("routed_command"), numbers, seqs, commands)
routed_events = st.tuples(st.just("routed_event"), numbers, numbers, offsets, raws)
revokes = st.tuples(st.just("revoke"), numbers, printable_ids, seqs, numbers, offsets)


class Stored(NamedTuple):
    """A record as read from a queue."""

    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


def stored(records: dict[int, list[Record]]) -> tuple[int, Stored]:
    """The one record that was written, and to which partition."""
    ((partition, ((key, value, headers),)),) = records.items()
    return partition, Stored(0, key, value, headers)


def as_written(record: Stored, adapter: TypeAdapter[Any]) -> bool:
    """Whether a record of ours, or the note of an event on its way, is as pydantic writes it."""
    text = record.headers[-1][1] if record.headers else record.value
    return text == (NOTE if record.headers else adapter).dump_json(
        (NOTE if record.headers else adapter).validate_json(text or b"", strict=True)
    )


@given(st.one_of(claims, releases, commands), st.integers(1, 50))
def test_what_shards_are_told_arrives_and_is_what_pydantic_would_write(
    message: ToShard, streams: int
) -> None:
    partition, record = stored(claim_records([message], streams))
    assert partition == partition_of(message[1], streams)
    assert list(read_claims([record])) == [message]
    assert as_written(record, CLAIM)


@given(st.one_of(routed_commands, routed_events, revokes))
def test_what_streams_are_sent_arrives_and_is_what_pydantic_would_write(message: ToStream) -> None:
    partition, record = stored(routed_records([message]))
    assert partition == message[1]
    assert list(read_routed([record], partition)) == [message]
    assert as_written(record, REVOKE)


@given(claims)
def test_an_owner_arrives_and_is_what_pydantic_would_write(claim: Claim) -> None:
    ((key, value, headers),) = directory_records([claim])
    table = DirectoryTable()
    assert table.put(key, value, headers) == claim[1]
    streams = 2**31
    assert table.directory(streams, routing_grace_ms=1).owner(claim[1]) == (claim[3], claim[4])
    owner = parse_owner(value or b"")
    assert value == OWNER.dump_json(owner)
    assert (owner["user_id"], owner["stream"]) == (claim[2], claim[3])
    assert owner["input"] == {"partition": claim[5], "offset": claim[6]}


@given(commands, times_us)
def test_a_parked_command_arrives_and_is_what_pydantic_would_write(
    command: Command, deadline_us: int
) -> None:
    ((key, value, headers),) = directory_records([("parked", command, deadline_us)])
    assert b" " in (key or b"")
    table = DirectoryTable()
    assert table.put(key, value, headers) == command[1]
    directory = table.directory(1, routing_grace_ms=1)
    assert not directory.is_overdue(deadline_us - 1)
    assert directory.is_overdue(deadline_us)
    claim: Claim = ("claim", command[1], "u", 0, 1, command[2], -1)
    step = directory.step([claim], 0)
    assert step.messages == [("routed_command", 0, 1, command)]
    assert as_written(Stored(0, key, value, headers), NOTE)
    for change in directory_records(step.changes):
        table.put(*change)
    assert table.directory(1, routing_grace_ms=1).parked_count == 0


@given(st.tuples(numbers, offsets, printable_ids, printable_ids, times_us))
def test_a_correction_is_what_pydantic_would_write(correction: Correction) -> None:
    ((_key, value, _headers),) = answer_records([correction])
    assert value == ANSWER.dump_json(parse_answer(value or b""))


@given(revokes)
def test_a_message_to_a_stream_is_refused_on_the_queue_of_a_shard(message: Any) -> None:
    _, record = stored(routed_records([message]))
    with pytest.raises(ValueError, match=r".+"):
        list(read_claims([record]))


@given(st.one_of(claims, releases, commands))
def test_a_message_to_a_shard_is_refused_on_the_queue_of_a_stream(message: Any) -> None:
    _, record = stored(claim_records([message], 1))
    with pytest.raises(ValueError, match=r".+"):
        list(read_routed([record], 0))


@given(
    blobs, blobs.filter(bool), st.lists(st.tuples(header_names, blobs), max_size=4), printable_ids,
)  # fmt: skip
def test_an_event_on_its_way_is_little_longer_than_it_was(
    key: bytes | None, value: bytes, headers: list[Header], order_id: str
) -> None:
    command: Command = ("command", order_id, 2**31 - 1, 2**63 - 1, (key, value, headers, -1))
    made = [
        *claim_records([command], 1)[0],
        *routed_records([("routed_command", 0, 2**63 - 1, command)])[0],
        *directory_records([("parked", command, MAX_TIME_US)]),
    ]
    for written in made:
        length = record_bytes(written[0], written[1], written[2])
        assert length <= record_bytes(key, value, headers) + 1024


@given(st.none() | st.binary(), header_lists)
def test_a_foreign_record_on_a_queue_is_refused(value: bytes | None, headers: list[Header]) -> None:
    record = Stored(0, b"o1", value, headers)
    with pytest.raises(ValueError, match=r".+"):
        list(read_claims([record]))
    with pytest.raises(ValueError, match=r".+"):
        list(read_routed([record], 0))


@given(
    blobs, blobs, st.lists(st.tuples(header_names, blobs), max_size=4), st.text(max_size=400),
    st.integers(2048, 20_000),
)  # fmt: skip
def test_a_dead_letter_always_fits_and_says_when_it_was_cut(
    key: bytes | None, value: bytes | None, headers: list[Header], detail: str, max_bytes: int
) -> None:
    made = dead_letter(
        Refusal("invalid", detail), key=key, value=value, headers=headers,
        topic="t" * 249, partition=2**31 - 1, offset=2**63 - 1, max_bytes=max_bytes,
    )  # fmt: skip
    assert record_bytes(made.key, made.value, made.headers) <= max_bytes
    sizes = [len(name.encode()) + len(content or b"") for name, content in made.headers]
    assert len(made.key or b"") + len(made.value or b"") + sum(sizes) <= max_bytes
    assert (made.key is None, made.value is None) == (key is None, value is None)
    assert (key or b"").startswith(made.key or b"")
    assert (value or b"").startswith(made.value or b"")
    is_whole = (made.key, made.value, made.headers[: len(headers)]) == (key, value, headers)
    assert ("error.truncated", b"true") in made.headers or is_whole
