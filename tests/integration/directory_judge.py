"""The judge of a system with the directory, from its topics alone.

The answers of a stream stand in the order in which effects were committed there. So each stream's
answers, replayed on the naive model, must come out the same and end in the stream's table; and
between streams each id must have had one owner after the other. A place that lost against another
stream's order at once is none of the model's: that order must have been there.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from tests.integration.cluster import Cluster, Record
from tests.integration.judge import check_group_offsets
from tests.model import NaiveSystem, partition_of

Position = tuple[int, int]
Fields = dict[str, Any]
# Between an order's end and the directory's knowledge of it: a rebalance after a kill, at most.
_RELEASE_MS = 15_000
# Answers of one slice are stamped one after the other, in any order of the streams.
_SLICE_MS = 500
_FOR_EVER = 1 << 62
_FIELDS = ("order_id", "user_id", "currency", "amount", "price", "status", "stream")


async def judge_directory(cluster: Cluster) -> Counter[str]:
    """Check that each event took effect once, on an order that had its id to itself.

    Args:
        cluster: what to read; it must be at rest.

    Returns:
        How often things came about: ``forwarded``, ``revoked``, ``unknown_order`` and so on.

    Raises:
        AssertionError: something is not as it must be.
    """
    topics = cluster.topics
    events = {
        (number, record.offset): json.loads(record.value or b"")
        for number, part in enumerate(await cluster.read(topics.events))
        for record in part
    }
    told = _Answers(cluster.num_streams, events)
    for stream, part in enumerate(await cluster.read(topics.results)):
        for record in part:
            told.take(stream, json.loads(record.value or b""), record.timestamp)
    told.check_complete()
    tables = [_table(part) for part in await cluster.read(topics.live)]
    for stream, table in enumerate(tables):
        ordered = sorted(table.values(), key=lambda order: order["placed_seq"])
        found = [{name: order[name] for name in _FIELDS} for order in ordered]
        model = [{name: order[name] for name in _FIELDS} for order in told.model.orders(stream)]
        assert found == model, f"stream {stream} is not what its answers say"
    await check_group_offsets(cluster)
    _check_owners(await cluster.read(topics.directory), tables, cluster.num_streams)
    return told.counts


@dataclass(slots=True)
class _Life:
    """How long a stream had an order, by the times of its answers."""

    stream: int
    begin_ms: int
    end_ms: int = _FOR_EVER


class _Answers:
    """The answers so far, and the model that they led to."""

    def __init__(self, num_streams: int, events: dict[Position, Fields]) -> None:
        self.model = NaiveSystem(num_streams)
        self.counts: Counter[str] = Counter()
        self._num_streams = num_streams
        self._events = events
        self._finals: dict[Position, tuple[int, Fields]] = {}
        self._forwarded: set[Position] = set()
        self._revoked: set[Position] = set()
        self._lives: defaultdict[str, list[_Life]] = defaultdict(list)
        self._taken: list[tuple[int, Fields, int]] = []

    def take(self, stream: int, answer: Fields, at_ms: int) -> None:
        """Take a stream's next answer, and when it was given."""
        where = answer["input"]["partition"], answer["input"]["offset"]
        self.counts[answer.get("reason") or answer["result"]] += 1
        if answer["result"] == "forwarded":
            assert where not in self._forwarded, f"{where} was forwarded twice"
            assert stream == where[0]
            self._forwarded.add(where)
        elif answer.get("revoked"):
            self._revoke(stream, where, answer)
            # It never had the id.
            self._lives[answer["order_id"]].pop(self._last_life(stream, answer["order_id"]))
        else:
            assert where not in self._finals, f"{where} has two final answers"
            self._finals[where] = stream, answer
            self._replay(stream, where, answer, at_ms)

    def _revoke(self, stream: int, where: Position, answer: Fields) -> None:
        self.counts["revoked"] += 1
        if where[1] == -1:
            self._revoke_unplaced(stream, where, answer)
            return
        assert where not in self._revoked, f"{where} was corrected twice"
        assert where in self._finals, f"{where} was corrected before it was answered"
        self._revoked.add(where)
        event = self._events[where]
        assert self._finals[where][0] == stream
        assert self._finals[where][1]["result"] == "applied"
        assert event["type"] == "place"
        cancel = {"type": "cancel", "order_id": event["order_id"], "user_id": event["user_id"]}
        assert self.model.apply(stream, cancel)["result"] == "applied", f"{answer} removed nothing"

    def _revoke_unplaced(self, stream: int, where: Position, answer: Fields) -> None:
        """An order from the time before the directory lost: nobody knows where its place stands."""
        self.counts["revoked without a place"] += 1
        assert where[0] == stream
        cancel = {"type": "cancel", "order_id": answer["order_id"], "user_id": answer["user_id"]}
        assert self.model.apply(stream, cancel)["result"] == "applied", f"{answer} removed nothing"

    def _replay(self, stream: int, where: Position, answer: Fields, at_ms: int) -> None:
        event = self._events[where]
        user = event.get("user_id")
        if user is not None:
            assert stream == partition_of(user, self._num_streams), (
                f"{where} was finished elsewhere"
            )
        elif answer.get("reason") == "unknown_order":
            # It travelled, and met no order: whatever has the id in this stream came later.
            return
        before = self._live_ids(stream)
        if answer.get("reason") == "duplicate_order" and event["order_id"] not in before:
            self.counts["taken elsewhere"] += 1
            self._taken.append((stream, answer, at_ms))
            return
        expected = self.model.apply(stream, event)
        found = {name: answer[name] for name in ("result", "reason", "count") if name in answer}
        assert found == expected, f"stream {stream} answered {answer}, not {expected}"
        after = self._live_ids(stream)
        for order_id in after - before:
            self._lives[order_id].append(_Life(stream, at_ms))
        for order_id in before - after:
            self._lives[order_id][self._last_life(stream, order_id)].end_ms = at_ms

    def _live_ids(self, stream: int) -> set[str]:
        return {order_id for order_id, _ in self.model.live()[stream]}

    def _last_life(self, stream: int, order_id: str) -> int:
        lives = self._lives[order_id]
        return max(number for number, life in enumerate(lives) if life.stream == stream)

    def check_complete(self) -> None:
        """Every event has its final answer, and what was taken was another stream's."""
        assert set(self._finals) == set(self._events)
        for where, (_, answer) in self._finals.items():
            user = self._events[where].get("user_id")
            if user is None and answer.get("reason") == "unknown_order":
                assert where in self._forwarded, f"{where} was not looked for"
        for stream, answer, at_ms in self._taken:
            assert any(
                life.stream != stream
                and life.begin_ms <= at_ms + _SLICE_MS
                and at_ms <= life.end_ms + _RELEASE_MS
                for life in self._lives[answer["order_id"]]
            ), f"nobody had what stream {stream} found taken: {answer}"


def _table(records: list[Record]) -> dict[bytes, Fields]:
    table: dict[bytes, Fields] = {}
    for record in records:
        if record.value is None:
            table.pop(record.key or b"", None)
        else:
            table[record.key or b""] = json.loads(record.value)
    return table


def _check_owners(
    directory: list[list[Record]], tables: list[dict[bytes, Fields]], num_streams: int
) -> None:
    """Each id had one owner at a time, none twice, and at rest the live order is it."""
    owners: dict[str, str] = {}
    had: set[tuple[str, str]] = set()
    parked: set[str] = set()
    for shard, records in enumerate(directory):
        for record in records:
            key = (record.key or b"").decode()
            assert partition_of(key.partition(" ")[0], num_streams) == shard
            if " " in key:
                (parked.discard if record.value is None else parked.add)(key)
            elif record.value is None:
                owners.pop(key, None)  # compaction may have removed what it removes
            else:
                placement = json.loads(record.value)["placement"]
                assert key not in owners, f"{key} has two owners"
                assert (key, placement) not in had, f"{key} came back to {placement}"
                had.add((key, placement))
                owners[key] = placement
    assert not parked, "commands still wait"
    live = [
        (order["order_id"], f"{order['stream']}:{order['placed_seq']}")
        for table in tables
        for order in table.values()
    ]
    assert len(dict(live)) == len(live), "an id is live twice"
    unowned, dead = dict(live).items() - owners.items(), owners.items() - dict(live).items()
    assert not unowned, f"live, and not in the directory: {sorted(unowned)}"
    assert not dead, f"in the directory, and not live: {sorted(dead)}"
