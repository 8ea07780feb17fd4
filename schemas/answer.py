"""Answers (``orders.results``): what became of every input record."""

from typing import Final, Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from schemas.event import EventType, RefusalReason
from schemas.json_text import quote
from schemas.version import Schema

Result = Literal["applied", "rejected", "forwarded"]

RejectReason = Literal[
    "duplicate_order",
    "unknown_order",
    "already_paused",
    "not_paused",
    "wrong_stream",
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


ANSWER: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)


def write_answer(
    partition: int,
    offset: int,
    event_type: EventType | None,
    order_id: str | None,
    user_id: str | None,
    event_id: str | None,
    occurred_at: str | None,
    reason: Reason | None,
    count: int | None,
) -> bytes:
    """Write an answer as UTF-8 JSON: ``applied``, or ``rejected`` where there is a reason.

    A template, because it is written for every event: `ANSWER` takes three times as long to write
    the same JSON from a dictionary. A test holds the two together.
    """
    text = f'{{"schema":1,"input":{{"partition":{partition},"offset":{offset}}}'
    if event_type is not None:
        text += f',"type":"{event_type}"'
    if order_id is not None:
        text += f',"order_id":{quote(order_id)}'
    if user_id is not None:
        text += f',"user_id":{quote(user_id)}'
    if event_id is not None:
        text += f',"event_id":{quote(event_id)}'
    if occurred_at is not None:
        text += f',"occurred_at":"{occurred_at}"'
    if reason is None:
        text += ',"result":"applied"'
    else:
        text += f',"result":"rejected","reason":"{reason}"'
    if count is not None:
        text += f',"count":{count}'
    return (text + "}").encode()


def parse_answer(value: bytes) -> Answer:
    """Read an answer; fields of a later minor version are ignored.

    Raises:
        pydantic.ValidationError: the bytes are no answer.
    """
    return ANSWER.validate_json(value)
