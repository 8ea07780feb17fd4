"""The judge: reads every topic as anyone could, and compares with the naive model."""

import json
from itertools import zip_longest
from typing import Any

from processor.app.read import open_log
from processor.settings import load_settings
from tests.integration.cluster import Cluster, Record
from tests.model import NaiveSystem, state_hash

_FIELDS = ("order_id", "user_id", "currency", "amount", "price", "status", "stream")


async def judge(cluster: Cluster, refused: dict[bytes | None, str] | None = None) -> None:
    """Check that every event took effect exactly once.

    Args:
        cluster: what to read; it must be at rest.
        refused: the values that are no events, with the reason that their answers must have.

    Raises:
        AssertionError: an answer, a live order, a dead letter or a list is not as it must be.
    """
    events = await cluster.read(cluster.topics.events)
    answers = await cluster.read(cluster.topics.results)
    live = await cluster.read(cluster.topics.live)
    letters = await cluster.read(cluster.topics.dead_letters)
    model = NaiveSystem(cluster.num_streams)
    for stream in range(cluster.num_streams):
        expected, refused_offsets = _expected(model, stream, events[stream], refused or {})
        found = [_outcome(answer) for answer in answers[stream]]
        assert found == expected, _first_difference(found, expected)
        assert [_source(letter) for letter in letters[stream]] == refused_offsets
        _check_table(model, stream, live[stream])
    await _check_list(cluster, model)
    await check_group_offsets(cluster)


def _expected(
    model: NaiveSystem,
    stream: int,
    events: list[Record],
    refused: dict[bytes | None, str],
) -> tuple[list[dict[str, Any]], list[int]]:
    """One outcome for each event in the order of offsets, and the offsets of dead letters."""
    outcomes, offsets = [], []
    for record in events:
        reason = refused.get(record.value)
        if reason is not None:
            offsets.append(record.offset)
        outcome = model.apply(stream, reason or _decode(record.value))
        outcomes.append({"partition": stream, "offset": record.offset, **outcome})
    return outcomes, offsets


def _decode(value: bytes | None) -> dict[str, Any]:
    """An event with its money as the text that was written."""
    event: dict[str, Any] = json.loads(value or b"", parse_float=str)
    for name in event.keys() & {"amount", "price"}:
        event[name] = str(event[name])
    return event


def _first_difference(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> str:
    pairs = enumerate(zip_longest(found, expected))
    at, (has, wants) = next((at, pair) for at, pair in pairs if pair[0] != pair[1])
    return f"{len(found)} answers to {len(expected)} events; number {at} is {has}, not {wants}"


def _outcome(answer: Record) -> dict[str, Any]:
    found = json.loads(answer.value or b"")
    kept = {name: found[name] for name in ("result", "reason", "count") if name in found}
    return {**found["input"], **kept}


def _source(letter: Record) -> int:
    return int(dict(letter.headers)["source.offset"])


def _check_table(model: NaiveSystem, stream: int, records: list[Record]) -> None:
    table: dict[bytes, dict[str, Any]] = {}
    seq = 0
    for record in records:
        key = record.key or b""
        if record.value is None:
            table.pop(key, None)  # compaction may have removed what it removes
            seq_now = int(dict(record.headers)["seq"])
        else:
            table[key] = json.loads(record.value)
            seq_now = table[key]["seq"]
        assert seq_now > seq, f"seq went from {seq} to {seq_now} at {record.offset}"
        seq = seq_now
    found = sorted(table.values(), key=lambda order: order["placed_seq"])
    assert [_fields(order) for order in found] == [_fields(one) for one in model.orders(stream)]


def _fields(order: dict[str, Any]) -> dict[str, Any]:
    return {name: order[name] for name in _FIELDS}


async def _check_list(cluster: Cluster, model: NaiveSystem) -> None:
    """What ``live-orders list`` reads: a snapshot of each stream and the changes after it."""
    settings = load_settings(bootstrap_servers=cluster.servers, topic_prefix=cluster.topics.prefix)
    async with open_log(settings) as reading:
        found = await reading.live_orders()
    for stream, expected in enumerate(model.live()):
        assert [(o.order_id, o.status) for number, o in found if number == stream] == expected


async def check_group_offsets(cluster: Cluster) -> None:
    """Check that the group's offsets, which tools show, are those of the streams' positions."""
    said = [one for one in await cluster.positions() if one is not None]
    assert len(said) == cluster.num_streams
    topics = cluster.topics
    assert await cluster.group_offsets(topics.events) == [one["events"] for one in said]
    assert await cluster.group_offsets(topics.routed) == [one["routed"] for one in said]
    assert await cluster.group_offsets(topics.claims) == [one["claims"] for one in said]


async def check_snapshots(cluster: Cluster) -> None:
    """Check that each stream's newest snapshot is whole and hashes to what it says."""
    for stream, records in enumerate(await cluster.read(cluster.topics.snapshots)):
        table = {(record.key or b"").decode(): record.value for record in records}
        whole = [one for one in (_assemble(table, slot) for slot in "ab") if one is not None]
        assert whole, f"stream {stream} has no whole snapshot"


def _assemble(table: dict[str, bytes | None], slot: str) -> list[dict[str, Any]] | None:
    begin, end = table.get(f"{slot}/begin"), table.get(f"{slot}/end")
    if begin is None or end is None:
        return None
    head, tail = json.loads(begin), json.loads(end)
    if head["snapshot_id"] != tail["snapshot_id"]:
        return None
    orders: list[dict[str, Any]] = []
    for number in range(tail["chunks"]):
        chunk = json.loads(table[f"{slot}/{number:04}"] or b"")
        assert chunk["snapshot_id"] == head["snapshot_id"]
        orders.extend(chunk["orders"])
    assert len(orders) == tail["order_count"]
    assert state_hash(orders) == tail["state_hash"]
    return orders
