"""Random commands over few users and ids, so that they meet."""

from typing import Any

from hypothesis import strategies as st

from processor.core.orders.stream import Change, Decision, Input
from processor.wire.event import Refusal, parse_event
from tests.builders import encode
from tests.model import NaiveSystem, Outcome, partition_of

Event = dict[str, Any]
Read = tuple[int, Event | str]
"""An event and the stream that reads it; or the reason for which it is none."""

USERS = [f"user{n}" for n in range(6)]
ORDER_IDS = [f"order{n}" for n in range(8)]

users = st.sampled_from(USERS)
order_ids = st.sampled_from(ORDER_IDS)
num_streams = st.integers(1, 7)
money = st.sampled_from(["1", "1.50", "50000.0", "0.000000000000000001", "9" * 38])
# As they are written back: the model compares text.
times = st.sampled_from(["2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000001Z"])
refusals = st.sampled_from(["malformed", "invalid", "too_large"])

_common = {"event_id": st.text(min_size=1, max_size=3), "occurred_at": times}
_places = st.fixed_dictionaries(
    {
        "type": st.just("place"),
        "order_id": order_ids,
        "user_id": users,
        "currency": st.sampled_from(["BTC", "ETH"]),
        "amount": money,
        "price": money,
    },
    optional=_common,
)
_commands = st.fixed_dictionaries(
    {"type": st.sampled_from(["pause", "resume", "cancel"]), "order_id": order_ids},
    optional=_common | {"user_id": users},
)
_cancel_alls = st.fixed_dictionaries(
    {"type": st.just("cancel_all_by_user"), "user_id": users}, optional=_common
)
events: st.SearchStrategy[Event] = st.one_of(_places, _places, _commands, _commands, _cancel_alls)


@st.composite
def reads(draw: st.DrawFn, streams: int) -> Read:
    """An event read mostly where its user belongs, sometimes elsewhere, sometimes unreadable."""
    event = draw(events)
    stream = partition_of(event.get("user_id") or draw(users), streams)
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return stream, draw(refusals)
    return (draw(st.integers(0, streams - 1)) if kind == 1 else stream), event


def single_stream_events(max_size: int = 40) -> st.SearchStrategy[list[Event]]:
    """Events of a stream that is the only one."""
    return st.lists(events, max_size=max_size)


def as_input(offset: int, event: Event | str) -> Input:
    """An event as the core takes it; record ``offset`` was written ``offset`` milliseconds in."""
    if isinstance(event, str):
        given: Any = Refusal(event, "of the test")  # type: ignore[arg-type]
    else:
        given = parse_event(encode(**event))
        assert not isinstance(given, Refusal), given
    return offset, offset * 1000, given


def model_apply(model: NaiveSystem, stream: int, offset: int, event: Event | str) -> Outcome:
    """The same for the model."""
    return model.apply(stream, event, at=f"1970-01-01T00:00:00.{offset:03}Z")


def outcome(decision: Decision) -> Outcome:
    """A decision as the model tells it."""
    *_, reason, removed = decision
    told: Outcome = {"result": "applied" if reason is None else "rejected"}
    if reason is not None:
        told["reason"] = reason
    if removed is not None:
        told["count"] = removed
    return told


def compacted(changes: list[Change], upto: int) -> list[Change]:
    """What compaction of the first ``upto`` changes leaves: the last of each id, no tombstones."""
    last = {change[0]: change for change in changes[:upto]}
    return [c for c in changes[:upto] if last[c[0]] is c and len(c) > 2] + changes[upto:]
