"""Answers (``orders.results``): what became of every input record."""

from typing import Final, Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from processor.wire.event import EventType, RefusalReason
from processor.wire.version import Schema

Result = Literal["applied", "rejected", "forwarded"]

RejectReason = Literal[
    "duplicate_order",
    "unknown_order",
    "already_paused",
    "not_paused",
    "wrong_stream",
    "duplicate_event",
]
Reason = RejectReason | RefusalReason


class InputPosition(TypedDict):
    """Where the answered record stands in ``orders.events``."""

    partition: int
    offset: int


class Answer(TypedDict):
    """One answer; absent fields are left out.

    ``type`` is absent when it could not be read, ``count`` (orders removed) is there only for an
    applied ``cancel_all_by_user``, ``reason`` only for ``rejected``.

    ``forwarded`` is not final: one more answer to the same input follows, maybe in another
    partition. ``revoked`` marks a correction: the place that was applied has lost its order id to
    another one, and its order is gone.
    """

    schema: Schema
    input: InputPosition
    type: NotRequired[EventType]
    order_id: NotRequired[str]
    user_id: NotRequired[str]
    event_id: NotRequired[str]
    occurred_at: NotRequired[str]
    result: Result
    reason: NotRequired[Reason]
    count: NotRequired[int]
    revoked: NotRequired[Literal[True]]


ANSWER: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)


def parse_answer(value: bytes) -> Answer:
    """Read an answer; fields of a later minor version are ignored.

    Raises:
        pydantic.ValidationError: the bytes are no answer.
    """
    return ANSWER.validate_json(value)
