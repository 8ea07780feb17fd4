"""The contract in `schemas/`: up to date, and in agreement with the code."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.core.event_time.offset_ranges import unpack
from processor.core.event_time.seen_blocks import read_ids
from processor.core.event_time.seen_ids import id_digest
from processor.wire.answer import parse_answer
from processor.wire.claim import parse_claim
from processor.wire.dead_letter import read_dead_letter
from processor.wire.event import Refusal, parse_event
from processor.wire.forwarded import KEY_HEADER, NOTE_HEADER
from processor.wire.forwarded import read_note as read_forwarded
from processor.wire.live_order import SEQ_HEADER, TIME_HEADER, parse_live_order
from processor.wire.owner import parse_owner
from processor.wire.position import parse_origin, parse_position
from processor.wire.progress import parse_progress
from processor.wire.record import Header
from processor.wire.replay import Position, is_note
from processor.wire.replay import read_note as read_replay
from processor.wire.revoke import parse_revoke
from processor.wire.snapshot import BEGIN, CHUNK, END
from processor.wire.timestamp import parse_time
from scripts.contract.fields import FIELDS
from scripts.contract.files import drifted, write
from scripts.contract.json_schemas import records_in
from scripts.contract.records import RECORDS
from tests.contract_schemas import (
    EXAMPLE_FILES,
    FOLDER,
    NAMES,
    schema,
    schema_of_example,
    strict_validator,
    validator,
)

each_schema = pytest.mark.parametrize("name", NAMES)
each_example = pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.stem)


def example(name: str) -> Any:
    return json.loads((FOLDER / f"examples/{name}.json").read_text())


# The files


def test_the_files_are_what_scripts_schemas_makes() -> None:
    assert drifted() == {}


def test_what_drifted_is_named_and_made_anew(tmp_path: Path) -> None:
    write(drifted(tmp_path), tmp_path)
    (tmp_path / "event.schema.json").write_text("{}")
    (tmp_path / "owner.schema.json").unlink()
    (tmp_path / "examples/gone.json").write_text("{}")
    changed = drifted(tmp_path)
    assert changed.keys() == {"event.schema.json", "owner.schema.json", "examples/gone.json"}
    write(changed, tmp_path)
    assert drifted(tmp_path) == {}
    assert not (tmp_path / "examples/gone.json").exists()


def test_the_readme_names_every_schema() -> None:
    named = re.findall(r"`([a-z-]+)`", (FOLDER / "README.md").read_text().partition("|---|")[2])
    assert sorted(named) == NAMES


@each_schema
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@each_schema
def test_every_schema_says_its_topic_and_its_key(name: str) -> None:
    assert re.search(r"\. Topic: .+\. Key: ", schema(name)["description"])


def test_what_has_one_name_is_one_thing_in_all_schemas() -> None:
    seen: dict[str, Any] = {}
    for one in NAMES:
        for name, content in schema(one).get("$defs", {}).items():
            assert seen.setdefault(name, content) == content, f"{name} in {one}"
    assert seen.keys() >= {"Identifier", "EventId", "Currency", "Decimal", "Time"}


def test_every_schema_has_an_example_and_every_example_a_schema() -> None:
    assert sorted({schema_of_example(path) for path in EXAMPLE_FILES}) == NAMES


def test_every_description_of_a_field_is_of_a_field() -> None:
    used = set[str]()
    for one in RECORDS:
        for name, record in records_in(one.schema):
            used |= {f"{name}.{field}" for field in record["properties"]}
    assert FIELDS.keys() <= used | {field.partition(".")[2] for field in used}


# The examples


@each_example
def test_every_example_is_valid_and_has_no_field_that_its_schema_does_not_have(path: Path) -> None:
    strict_validator(schema_of_example(path)).validate(json.loads(path.read_text()))


def _texts(value: bytes) -> list[Header]:
    return [(name, text.encode()) for name, text in json.loads(value).items()]


def _read_event(value: bytes) -> bool:
    return not isinstance(parse_event(value), Refusal)


def _read_removal(value: bytes) -> bool:
    headers = json.loads(value)
    return int(headers[SEQ_HEADER]) > 0 and parse_time(headers[TIME_HEADER]) > 0


def _read_letter(value: bytes) -> bool:
    return read_dead_letter(_texts(value)).is_ours


def _read_replay(value: bytes) -> bool:
    headers = _texts(value)
    return is_note(None, headers) and read_replay(headers) == (Position(1, 0), Position(1, 8))


def _read_on_its_way(kind: str) -> Callable[[bytes], bool]:
    def read(value: bytes) -> bool:
        note, _ = read_forwarded(b"{}", [(KEY_HEADER, b"k"), (NOTE_HEADER, value)])
        return note["type"] == kind

    return read


def _read_finished(value: bytes) -> bool:
    record = parse_progress(value)
    assert record["type"] == "finished"
    assert unpack(record["routed"]) == [(7, 8)]
    return unpack(record["events"]) == [(100, 103), (105, 106), (110, 111)]


def _read_ids(value: bytes) -> bool:
    record = parse_progress(value)
    assert record["type"] == "ids"
    return list(read_ids(record)) == [(0, id_digest("e-17"))]


READERS: dict[str, Callable[[bytes], object]] = {
    "event": _read_event,
    "answer": parse_answer,
    "live-order": parse_live_order,
    "live-order-removed-headers": _read_removal,
    "snapshot-begin": BEGIN.validate_json,
    "snapshot-chunk": CHUNK.validate_json,
    "snapshot-end": END.validate_json,
    "dead-letter-headers": _read_letter,
    "replay-note-headers": _read_replay,
    "owner": parse_owner,
    "parked-command": _read_on_its_way("parked_command"),
    "claim": parse_claim,
    "release": parse_claim,
    "forwarded-command": _read_on_its_way("forwarded_command"),
    "revoke": parse_revoke,
    "routed-command": _read_on_its_way("routed_command"),
    "routed-event": _read_on_its_way("routed_event"),
    "finished-offsets": _read_finished,
    "event-ids": _read_ids,
    "position": parse_position,
    "origin": parse_origin,
}


@each_example
def test_every_example_is_read_by_the_code(path: Path) -> None:
    assert READERS[schema_of_example(path)](path.read_bytes())


def test_the_state_hash_of_the_example_is_that_of_its_orders() -> None:
    fields = ["order_id", "user_id", "currency", "amount", "price", "status", "placed_seq"]
    total = 0
    for order in example("snapshot-chunk")["orders"]:
        text = "\x1f".join(str(order[name]) for name in fields)
        total += int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    assert example("snapshot-end")["state_hash"] == f"{total % 2**256:064x}"


@each_example
def test_a_record_without_a_field_that_it_must_have_is_refused(path: Path) -> None:
    name, whole = schema_of_example(path), json.loads(path.read_text())
    required = schema(name).get("required", ["type"])
    for field in required:
        without = {key: value for key, value in whole.items() if key != field}
        assert not validator(name).is_valid(without), field


@each_schema
def test_what_is_no_object_is_refused(name: str) -> None:
    others: list[object] = [[], "", 1, True, None]
    assert not any(validator(name).is_valid(other) for other in others)


@each_example
def test_fields_may_be_added_to_what_the_processor_writes_but_not_to_events(path: Path) -> None:
    name = schema_of_example(path)
    more = json.loads(path.read_text()) | {"later": 1}
    assert validator(name).is_valid(more) == (name != "event")


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("answer.applied", {"reason": "duplicate_order"}),
        ("answer.applied", {"count": 1}),
        ("answer.applied", {"revoked": True}),
        ("answer.forwarded", {"reason": "unknown_order"}),
        ("answer.rejected", {"reason": "because"}),
        ("answer.rejected", {"revoked": True}),
        ("answer.rejected", {"result": "done"}),
        ("answer.applied", {"result": "done"}),
        ("answer.applied", {"type": "buy"}),
        ("answer.applied", {"result": "rejected"}),
        ("answer.rejected", {"type": "cancel_all_by_user", "count": 1}),
        ("answer.cancelled-all", {"count": -1}),
        ("answer.cancelled-all", {"count": 2**63}),
        ("answer.revoked", {"type": "pause"}),
        ("answer.revoked", {"reason": "unknown_order"}),
        ("answer.applied", {"input": {"partition": 2**31, "offset": 0}}),
        ("answer.applied", {"input": {"partition": 0, "offset": -2}}),
        ("answer.applied", {"input": {"partition": 0, "offset": 2**63}}),
        ("answer.revoked", {"event_id": "e-17"}),
        ("answer.revoked", {"revoked": False}),
        ("answer.applied", {"schema": 2}),
        ("answer.applied", {"input": {"partition": 2}}),
        ("answer.applied", {"input": {"partition": -1, "offset": 0}}),
        ("answer.applied", {"occurred_at": "2026-01-31T12:00:00Z"}),
        ("live-order.active", {"status": "gone"}),
        ("live-order.active", {"amount": 1.5}),
        ("live-order.active", {"amount": "1e3"}),
        ("live-order.active", {"order_id": "a b"}),
        ("live-order.active", {"seq": "1"}),
        ("live-order-removed-headers", {"seq": 4}),
        ("snapshot-chunk", {"orders": [{}]}),
        ("snapshot-end", {"state_hash": "0"}),
        ("dead-letter-headers", {"error.reason": "bad"}),
        ("dead-letter-headers", {"source.offset": 7}),
        ("replay-note-headers", {"replay.of": "1:0"}),
        ("owner", {"placement": "2/1"}),
        ("claim", {"type": "release"}),
        ("event-ids", {"ids": "%"}),
        ("position", {"next_slot": "c"}),
        ("position", {"slot_chunks": {"a": 1}}),
    ],
)
def test_what_the_processor_never_writes_is_refused(name: str, changed: dict[str, Any]) -> None:
    assert not validator(name.partition(".")[0]).is_valid(example(name) | changed)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("answer.cancelled-all", "count"),
        ("answer.rejected", "reason"),
        *(("answer.revoked", name) for name in ("type", "order_id", "user_id", "occurred_at")),
    ],
)
def test_an_answer_without_what_its_result_asks_for_is_refused(name: str, field: str) -> None:
    answer = example(name)
    del answer[field]
    assert not validator("answer").is_valid(answer)


# Of these, any text will do, or any number from 0 on.
_FREE = ("order_id", "user_id", "event_id", "error.detail", "source.topic")
_UNBOUNDED = ("seq_sum", "owners_sum", "sum")


@pytest.mark.parametrize(
    "path",
    [path for path in EXAMPLE_FILES if schema_of_example(path) != "event"],
    ids=lambda path: path.stem,
)
def test_a_field_with_something_else_in_it_is_refused(path: Path) -> None:
    name, whole = schema_of_example(path), json.loads(path.read_text())
    for field, value in _leaves(whole):
        for wrong in _wrong(str(field[-1]), value):
            changed = _with(whole, field, wrong)
            assert not validator(name).is_valid(changed), (field, wrong)


def _wrong(name: str, value: object) -> Iterator[object]:
    yield from ([{}], {}, 0.5, -(2**64), "☃" * 2_000)
    if name not in _UNBOUNDED:
        yield 2**64
    if name not in _FREE:
        yield "☃"
    if isinstance(value, list):
        yield [0] * 9_000


def _leaves(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every field in a record, with where it stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, content in inner:
        yield (*path, name), content
        if isinstance(content, dict | list):
            yield from _leaves(content, (*path, name))


def _with(whole: Any, path: tuple[str | int, ...], value: object) -> Any:
    """A copy of a record with something else somewhere."""
    copy = json.loads(json.dumps(whole))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy
