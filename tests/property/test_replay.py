"""What a stream writes to orders.live brings it back, compacted or not."""

from hypothesis import given
from hypothesis import strategies as st

from processor.core.orders.order import Order, from_record
from processor.core.orders.stream import Change, OrderStream
from processor.reader.view import StreamView
from processor.wire.live_order import parse_live_order
from tests.builders import live_record
from tests.property.strategies import Event, as_input, compacted, single_stream_events


def run(events: list[Event], stream: OrderStream | None = None) -> tuple[OrderStream, list[Change]]:
    """Apply events to a stream, a new one unless given."""
    stream = stream or OrderStream(0, 1)
    step = stream.step([as_input(offset, event) for offset, event in enumerate(events)])
    return stream, step.changes


def restored(changes: list[Change], seq: int) -> OrderStream:
    """A stream made from nothing but the records of changes."""
    table: dict[bytes, Order] = {}
    for change in changes:
        key, value, _ = live_record(change, 0)
        table.pop(key, None)
        if value is not None:
            table[key] = from_record(parse_live_order(value))
    orders = sorted(table.values(), key=lambda order: order.placed_seq)
    return OrderStream(0, 1, seq=seq, orders=orders)


@given(single_stream_events(), st.data())
def test_the_changes_restore_the_state_however_they_were_compacted(
    events: list[Event], data: st.DataObject
) -> None:
    stream, changes = run(events)
    kept = compacted(changes, data.draw(st.integers(0, len(changes))))
    copy = restored(kept, stream.seq)
    assert copy.orders() == stream.orders()
    assert copy.state_hash == stream.state_hash
    assert copy.user_count == stream.user_count


@given(single_stream_events(), single_stream_events(max_size=20))
def test_a_restored_stream_goes_on_as_if_nothing_had_happened(
    before: list[Event], after: list[Event]
) -> None:
    stream, changes = run(before)
    copy = restored(changes, stream.seq)
    inputs = [as_input(offset, event) for offset, event in enumerate(after)]
    assert copy.step(inputs) == stream.step(inputs)
    assert copy.state_hash == stream.state_hash


@given(single_stream_events(), st.data())
def test_a_reader_without_a_snapshot_sees_the_same_list(
    events: list[Event], data: st.DataObject
) -> None:
    stream, changes = run(events)
    view = StreamView()
    for change in compacted(changes, data.draw(st.integers(0, len(changes)))):
        view.put(*live_record(change, 0))
    assert view.orders() == stream.orders()
