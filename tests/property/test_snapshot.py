"""A reader of snapshots and later changes always has the list, whatever happens in between."""

from hypothesis import given
from hypothesis import strategies as st

from processor.core.orders.snapshot import SnapshotPolicy, SnapshotWriter
from processor.core.orders.state_hash import hash_orders
from processor.core.orders.stream import Change, OrderStream
from processor.reader.view import SnapshotTable, StreamView
from processor.wire.snapshot import MAX_CHUNK_BYTES
from tests.builders import live_record
from tests.property.strategies import Event, as_input, compacted, events

Action = str | list[Event]
ACTIONS = st.lists(
    st.one_of(
        st.lists(events, min_size=1, max_size=6),
        st.sampled_from(["begin", "slice", "slice", "slice", "restart", "compact"]),
    ),
    max_size=50,
)


class Task:
    """A stream with its two output tables, without Kafka."""

    def __init__(self, slice_bytes: int) -> None:
        self.policy = SnapshotPolicy(slice_bytes=slice_bytes)
        self.orders = OrderStream(0, 1)
        self.writer = SnapshotWriter(0, self.policy)
        self.table = SnapshotTable()
        self.changes: list[Change] = []
        self.chunk_keys: set[bytes] = set()
        self.snapshots = 0
        self.offset = 0

    def step(self, batch: list[Event]) -> None:
        """Apply a batch."""
        step = self.orders.step([as_input(self.offset + n, one) for n, one in enumerate(batch)])
        self.offset += len(batch)
        self.changes += step.changes

    def begin(self) -> None:
        """Begin a snapshot, if none is being written."""
        if self.writer.writing:
            return
        self.snapshots += 1
        self.writer.begin(
            self.orders,
            snapshot_id=f"s{self.snapshots}",
            as_of_offset=self.offset,
            live_offset=0,
            taken_at_us=0,
            now_ms=0,
        )

    def slice(self) -> None:
        """Write the next slice."""
        for key, value in self.writer.next_slice(0):
            assert len(value or b"") <= MAX_CHUNK_BYTES
            self.table.put(key, value)
            if not key.endswith((b"begin", b"end")):
                self.chunk_keys.add(key) if value else self.chunk_keys.discard(key)

    def restart(self) -> None:
        """Lose all memory but what the commit metadata and the changelog hold."""
        old = self.writer
        self.writer = SnapshotWriter(
            0, self.policy, next_slot=old.next_slot, slot_chunks=old.slot_chunks
        )
        # The sequence may jump, never go back.
        self.orders = OrderStream(0, 1, seq=self.orders.seq + 3, orders=self.orders.orders())

    def compact(self) -> None:
        """Compact the changelog, as far as the last whole snapshot reaches."""
        latest = self.table.latest()
        as_of_seq = 0 if latest is None else latest.begin["as_of_seq"]
        covered = sum(change[-1] <= as_of_seq for change in self.changes)
        self.changes = compacted(self.changes, covered)

    def perform(self, action: Action) -> None:
        """Do one thing."""
        if isinstance(action, str):
            getattr(self, action)()
        else:
            self.step(action)

    def view(self) -> StreamView:
        """What a reader knows now."""
        view = StreamView(self.table.latest())
        for change in self.changes:
            view.put(*live_record(change, 0))
        return view


@given(ACTIONS, st.sampled_from([1, 300, 100_000]))
def test_the_latest_whole_snapshot_and_the_changes_after_it_are_the_state(
    actions: list[Action], slice_bytes: int
) -> None:
    task = Task(slice_bytes)
    has_snapshot = False
    for action in actions:
        task.perform(action)
        assert task.view().orders() == task.orders.orders()
        assert has_snapshot <= (task.table.latest() is not None), "a whole snapshot was destroyed"
        has_snapshot = task.table.latest() is not None


@given(ACTIONS, st.sampled_from([1, 300]))
def test_a_finished_snapshot_is_the_state_and_leaves_no_chunk_behind(
    actions: list[Action], slice_bytes: int
) -> None:
    task = Task(slice_bytes)
    for action in actions:
        task.perform(action)
    task.restart()
    for _ in "ab":
        task.begin()
        while task.writer.writing:
            task.slice()
    latest = task.table.latest()
    assert latest is not None
    assert latest.orders == task.orders.orders()
    assert hash_orders(latest.orders) == task.orders.state_hash
    extents = task.writer.slot_chunks
    expected = {f"a/{n:04}".encode() for n in range(extents["a"])}
    expected |= {f"b/{n:04}".encode() for n in range(extents["b"])}
    assert task.chunk_keys == expected
