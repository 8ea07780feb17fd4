"""Judges what a cluster wrote, from its records alone, against the naive book.

The book is given the commands in the order in which their effects were written, without the places
that lost and what was done to them. What was rejected must be so in the book too, at one moment
between the command's reading and its final answer.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from processor.wire.timestamp import parse_time
from tests.model import NaiveBook, partition_of
from tests.property.cluster import GRACE_MS, Cluster, Entry, Stored, Topic, Transaction

Fields = Mapping[str, Any]
Position = tuple[int, int]
"""Where an event stands: partition and offset."""
Placement = tuple[int, int]


class Judge:
    """Reads all committed transactions, in the order in which they were written."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._committed = [one for one in cluster.transactions if one.state == "committed"]
        self._revoked = {
            _placement(said["placement"])
            for said in map(_said, self._all("routed"))
            if said.get("type") == "revoke"
        }
        self.book = NaiveBook()
        self.tables: list[dict[str, Fields]] = [{} for _ in range(cluster.num_streams)]
        self.finals: dict[Position, int] = {}
        self.corrected: set[Position] = set()
        self._placed_by: dict[Placement, Position] = {}
        self._forwarded: dict[Position, int] = {}
        self._free: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._free_since: dict[str, int] = defaultdict(int)
        self._last: dict[tuple[int, str], int] = defaultdict(lambda: -1)
        self._now = 0

    def judge(self) -> None:
        """Judge the whole history; the cluster is at rest."""
        for transaction in self._committed:
            self._transaction(transaction)
        self._check_answers()
        self._check_end()
        for transaction in self._committed:
            self._check_waits(transaction)
        self._check_carried()

    # What happened

    def _transaction(self, transaction: Transaction) -> None:
        answers = [_said(one) for topic, _, one in transaction.wrote if topic == "results"]
        changes = iter([one for topic, _, one in transaction.wrote if topic == "live"])
        for answer in answers:
            self._now += 1
            where = _position(answer["input"])
            if answer["result"] == "forwarded":
                assert where not in self._forwarded, "forwarded twice"
                assert where not in self.finals, "forwarded after its final answer"
                self._forwarded[where] = self._now
            elif answer.get("revoked"):
                self._correction(transaction.task, where, answer, changes)
            else:
                assert where not in self.finals, f"a second final answer to {where}"
                self.finals[where] = self._now
                self._final(transaction, where, answer, changes)
        assert next(changes, None) is None, "a change without an answer"

    def _correction(
        self, task: int, where: Position, answer: Fields, changes: Iterator[Stored]
    ) -> None:
        order_id = answer["order_id"]
        order = self.tables[task].pop(order_id)
        removal = next(changes)
        assert (removal.key, removal.value) == (order_id.encode(), None)
        assert (answer["result"], answer["reason"]) == ("rejected", "duplicate_order")
        assert answer["user_id"] == order["user_id"]
        placement = (task, order["placed_seq"])
        assert placement in self._revoked, "removed without a revoke"
        assert self._placed_by[placement] == where, "corrects another place"
        assert where in self.finals
        assert where not in self.corrected, "corrected twice"
        self.corrected.add(where)

    def _final(
        self,
        transaction: Transaction,
        where: Position,
        answer: Fields,
        changes: Iterator[Stored],
    ) -> None:
        event = self._event(where)
        if answer["result"] == "applied":
            count = answer["count"] if answer["type"] == "cancel_all_by_user" else 1
            self._applied(transaction, where, answer, [next(changes) for _ in range(count)])
        elif event is not None:
            self._rejected(transaction.task, where, event, answer)
        if event is not None and (user := event.get("user_id")) is not None:
            assert transaction.task == partition_of(user, self._cluster.num_streams)
            self._in_order(where, f"user {user}")

    def _in_order(self, where: Position, what: str) -> None:
        partition, offset = where
        assert self._last[partition, what] < offset, f"{what}: out of order"
        self._last[partition, what] = offset

    def _applied(
        self, transaction: Transaction, where: Position, answer: Fields, changes: list[Stored]
    ) -> None:
        task, command = transaction.task, answer["type"]
        users, counted = answer["user_id"], 0
        for change in changes:
            order_id = (change.key or b"").decode()
            if command == "place":
                order = self.tables[task][order_id] = _said(change)
                placement = (task, order["placed_seq"])
                assert placement not in self._placed_by, "a placement was used twice"
                self._placed_by[placement] = where
            elif change.value is None:
                order = self.tables[task].pop(order_id)
            else:
                order = self.tables[task][order_id] = _said(change)
            assert order["user_id"] == users
            if (task, order["placed_seq"]) in self._revoked:
                continue
            counted += 1
            if command != "cancel_all_by_user":
                self._command(command, order_id, users)
                self._check_reach(where, (task, order["placed_seq"]))
        if command == "cancel_all_by_user":
            for order_id, user, _ in self.book.live():
                if user == users:
                    self._free_since[order_id] = self._now
            assert self.book.cancel_all_by_user(users) == counted

    def _command(self, command: str, order_id: str, user: str) -> None:
        if command == "place":
            self._place(order_id, user)
        else:
            found = self.book.owner(order_id)
            assert found is not None, f"{command} of {order_id}, which the book does not have"
            assert found[0] == user
            assert getattr(self.book, command)(order_id), f"{command} of {order_id}"
            if command == "cancel":
                self._free_since[order_id] = self._now

    def _place(self, order_id: str, user: str) -> None:
        assert self.book.owner(order_id) is None, f"{order_id} is live twice"
        self.book.place(order_id, user)
        self._free[order_id].append((self._free_since[order_id], self._now))

    def _check_reach(self, where: Position, placement: Placement) -> None:
        """A command without a user never reaches a place after it in its own partition."""
        event = self._event(where)
        assert event is not None
        placed_by = self._placed_by.get(placement)
        if event["type"] != "place" and placed_by is not None and placed_by[0] == where[0]:
            assert placed_by[1] < where[1], "met a place that came later in its own partition"
        if event.get("user_id") is None:
            # One that found the order where it was read may overtake one that had to travel.
            way = "on its way" if where in self._forwarded else "here"
            self._in_order(where, f"order {event['order_id']} {way}")

    def _rejected(self, task: int, where: Position, event: Fields, answer: Fields) -> None:
        reason, order_id, user = answer["reason"], event.get("order_id"), event.get("user_id")
        assert order_id is not None
        here = self.tables[task].get(order_id)
        found = self.book.owner(order_id)
        if reason == "duplicate_order":
            assert here is not None
        elif reason == "unknown_order" and user is None:
            assert where in self._forwarded
            assert self._was_free(order_id, self._forwarded[where]), "it was there all the time"
        elif reason == "unknown_order":
            assert found is None or found[0] != user
        else:
            assert here is not None
            assert reason in ("already_paused", "not_paused")
            if (task, here["placed_seq"]) not in self._revoked:
                assert found is not None
                assert found[1] == ("paused" if reason == "already_paused" else "active")

    def _was_free(self, order_id: str, since: int) -> bool:
        """Whether the book had no such order at some moment since then."""
        if self.book.owner(order_id) is None:
            return True
        return any(end > since for _, end in self._free[order_id])

    # At rest

    def _check_answers(self) -> None:
        expected = {
            (partition, one.offset)
            for partition in range(self._cluster.num_streams)
            for one in self._cluster.log("events", partition).committed()
        }
        assert set(self.finals) == expected
        assert set(self._forwarded) <= expected

    def _check_end(self) -> None:
        live = [(key, one) for table in self.tables for key, one in table.items()]
        assert len(live) == len(dict(live)), "an id is live twice"
        assert sorted(self.book.live()) == sorted(
            (key, one["user_id"], one["status"]) for key, one in live
        )
        owners: dict[str, tuple[str, int, int]] = {}
        for partition in range(self._cluster.num_streams):
            table = {
                (one.key or b"").decode(): one
                for one in self._cluster.log("directory", partition).committed()
            }
            found = {key: _said(one) for key, one in table.items() if one.value is not None}
            assert not [key for key in found if " " in key], "a command still waits"
            for key, one in found.items():
                assert partition_of(key, self._cluster.num_streams) == partition
                owners[key] = one["user_id"], *_placement(one["placement"])
        assert owners == {
            key: (one["user_id"], one["stream"], one["placed_seq"]) for key, one in live
        }

    # How long commands waited

    def _check_waits(self, transaction: Transaction) -> None:
        """A command that was parked is answered in time, not before, and met what it could."""
        ended = {
            (one.key or b"").decode()
            for topic, _, one in transaction.wrote
            if topic == "directory" and one.value is None and b" " in (one.key or b"")
        }
        answered = {
            "{partition}:{offset}".format(**_said(one)["input"])
            for topic, _, one in transaction.wrote
            if topic == "results" and _said(one).get("reason") == "unknown_order"
        }
        owned = [
            (_said(one)["order_id"], *_position(_said(one)["input"]))
            for topic, _, one in transaction.wrote
            if topic == "directory" and one.value is not None and b" " not in (one.key or b"")
        ]
        for key in ended:
            order_id, _, position = key.partition(" ")
            partition, offset = map(int, position.split(":"))
            came_before = any(
                (order_id, partition) == (owned_id, place_partition) and place_offset > offset
                for owned_id, place_partition, place_offset in owned
            )
            if position in answered and not came_before:
                self._check_wait(transaction, key, order_id, position)

    def _check_wait(self, ended: Transaction, key: str, order_id: str, position: str) -> None:
        parked = next(
            (began, one)
            for began in self._committed
            for topic, _, one in began.wrote
            if topic == "directory" and one.key == key.encode() and one.value is not None
        )
        deadline_us = parked[0].now_us + GRACE_MS * 1000
        assert parse_time(_note(parked[1])["deadline"]) == deadline_us
        assert ended.now_us >= deadline_us, "answered before its time"
        for other in self._committed[self._committed.index(parked[0]) + 1 :]:
            if other is ended:
                break
            if other.task == ended.task and other.has_read_all:
                assert other.now_us < deadline_us, "answered after its time"
        claims = self._cluster.log("claims", ended.task).entries
        came = next(n for n, one in enumerate(claims) if self._is_of(one, position))
        for record, transaction, now_us in claims[came:]:
            said = _said(record)
            if transaction in self._committed and said["type"] == "claim":
                missed = said["order_id"] == order_id and now_us < deadline_us
                assert not missed, "did not meet a place that was there at its deadline"

    def _is_of(self, entry: Entry, position: str) -> bool:
        """Whether it is the forwarded command that stands there."""
        said = _said(entry.record)
        return (
            entry.transaction in self._committed
            and said["type"] == "forwarded_command"
            and "{partition}:{offset}".format(**said["input"]) == position
        )

    def _check_carried(self) -> None:
        """Events on their way are what was read."""
        topics: list[Topic] = ["claims", "routed", "directory"]
        for topic in topics:
            for record in self._all(topic):
                if record.value is None or not record.headers:
                    continue
                note = _note(record)
                partition, offset = _position(note["input"])
                source = self._cluster.log("events", partition).entries[offset].record
                assert (record.value, note["timestamp"]) == (source.value, source.timestamp)
                assert list(record.headers[:-2]) == list(source.headers)
                assert record.headers[-2][1] == source.key

    def _all(self, topic: Topic) -> Iterator[Stored]:
        for partition in range(self._cluster.num_streams):
            yield from self._cluster.log(topic, partition).committed()

    def _event(self, where: Position) -> Fields | None:
        """A valid event, as decoded; None for one that is none."""
        value = self._cluster.log("events", where[0]).entries[where[1]].record.value
        return json.loads(value) if value is not None and value.startswith(b"{") else None


def _said(record: Stored) -> Fields:
    """A record's JSON, or the note of an event on its way."""
    if record.headers and record.headers[-1][0] == "live-orders.note":
        return _note(record)
    said: Fields = {} if record.value is None else json.loads(record.value)
    return said


def _note(record: Stored) -> Fields:
    note: Fields = json.loads(record.headers[-1][1] or b"")
    return note


def _position(found: Fields) -> Position:
    return found["partition"], found["offset"]


def _placement(text: str) -> Placement:
    stream, seq = text.split(":")
    return int(stream), int(seq)
