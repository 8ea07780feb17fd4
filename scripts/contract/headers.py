"""The schemas of records that say what they say in headers: an object from names to texts."""

from typing import Final, get_args

from processor.wire.dead_letter import (
    ERROR_DETAIL,
    ERROR_REASON,
    ERROR_TRUNCATED,
    SOURCE_OFFSET,
    SOURCE_PARTITION,
    SOURCE_TOPIC,
)
from processor.wire.event import RefusalReason
from processor.wire.live_order import SEQ_HEADER, TIME_HEADER
from processor.wire.replay import REPLAY_AS, REPLAY_OF
from scripts.contract.fields import TIME, JsonSchema
from scripts.contract.json_schemas import DIALECT, in_order

_COMMENT: Final = "Made by scripts/schemas: change it there."
_OPTIONAL: Final = (ERROR_TRUNCATED,)
_DIGITS: Final[JsonSchema] = {"type": "string", "pattern": "^[0-9]{1,19}$"}
_POSITION: Final[JsonSchema] = {"type": "string", "pattern": "^[0-9]{1,9}/[0-9]{1,19}$"}


def headers_schema(title: str, description: str, properties: dict[str, JsonSchema]) -> JsonSchema:
    """The schema of headers."""
    return in_order(
        {
            "$schema": DIALECT,
            "$comment": _COMMENT,
            "title": title,
            "description": description,
            "type": "object",
            "required": [name for name in properties if name not in _OPTIONAL],
            "properties": dict(properties),
        }
    )


def _said(words: str, schema: JsonSchema) -> JsonSchema:
    return {"description": words, **schema}


_TIME: Final[JsonSchema] = {name: TIME[name] for name in ("type", "format", "pattern")}

LIVE_ORDER_REMOVED: Final[dict[str, JsonSchema]] = {
    SEQ_HEADER: _said("The number of the removal in its stream, as LiveOrder's seq.", _DIGITS),
    TIME_HEADER: _said("The event time of what removed the order.", _TIME),
}
DEAD_LETTER: Final[dict[str, JsonSchema]] = {
    ERROR_REASON: _said(
        "Why it was refused; the reason of its answer too.",
        {"type": "string", "enum": list(get_args(RefusalReason))},
    ),
    ERROR_DETAIL: _said(
        "What exactly is wrong, in one line of ASCII.", {"type": "string", "maxLength": 1024}
    ),
    SOURCE_TOPIC: _said("The topic of the refused record.", {"type": "string", "maxLength": 249}),
    SOURCE_PARTITION: _said("Its partition.", _DIGITS),
    SOURCE_OFFSET: _said("Its offset.", _DIGITS),
    ERROR_TRUNCATED: _said(
        "There if the record did not fit: the producer's headers are gone, and the end of the "
        "value or of the key.",
        {"type": "string", "const": "true"},
    ),
}
REPLAY_NOTE: Final[dict[str, JsonSchema]] = {
    REPLAY_OF: _said("The dead letter, as partition/offset.", _POSITION),
    REPLAY_AS: _said("The event in orders.events, as partition/offset.", _POSITION),
}
