"""What JSON Schema can say of the fields that producers write; the descriptions say the rest.

The code never refuses less than these schemas, and where it refuses more, the description says so.
The regular expressions keep to what every engine takes. In the engines of Java and Python, ``$``
also matches before a line feed at the end: hence ``not``.
"""

from typing import Final

from pydantic import JsonValue

IDENTIFIER: Final[dict[str, JsonValue]] = {
    "title": "Identifier",
    "description": (
        "1 to 64 printable characters, no spaces or control characters. The pattern has most of "
        "what is not printable. The rest, which JSON Schema cannot say, is refused too: Unicode's "
        "other format characters, and code points that it has not assigned."
    ),
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "not": {
        "pattern": (
            "[\0- \x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
            "\ue000-\uf8ff\ufeff]"
        )
    },
}

EVENT_ID: Final[dict[str, JsonValue]] = {
    "title": "EventId",
    "description": "1 to 64 characters of any kind.",
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
}

CURRENCY: Final[dict[str, JsonValue]] = {
    "title": "Currency",
    "description": "A currency or instrument code: 1 to 32 of the characters A-Z a-z 0-9 . _ -",
    "type": "string",
    "pattern": "^[A-Za-z0-9._-]{1,32}$",
    "not": {"pattern": "[^A-Za-z0-9._-]"},
}

DECIMAL: Final[dict[str, JsonValue]] = {
    "title": "Decimal",
    "description": (
        "A decimal greater than 0, without sign or exponent: at most 38 digits, 18 of them "
        "fractional."
    ),
    "type": "string",
    "maxLength": 39,
    "pattern": "^[0-9]{1,38}([.][0-9]{1,18})?$",
    "allOf": [{"pattern": "[1-9]"}, {"not": {"pattern": "[^0-9.]"}}],
}

MONEY: Final[dict[str, JsonValue]] = {
    "title": "Money",
    "description": (
        "Greater than 0, at most 38 digits, 18 of them fractional. Better a string: many programs "
        "round JSON numbers. A number is taken digit by digit, and written out without an exponent "
        "it may have no more digits than a string, which JSON Schema cannot say."
    ),
    "anyOf": [DECIMAL, {"type": "number", "minimum": 1e-18, "maximum": 10**38}],
}

EVENT_TIME: Final[dict[str, JsonValue]] = {
    "title": "EventTime",
    "description": (
        "An RFC 3339 time with a zone, in the years 1970 to 9999 in UTC. Digits finer than a "
        "microsecond are cut. The day must exist in its month, and the time in UTC must lie in "
        "these years, which JSON Schema cannot say."
    ),
    "type": "string",
    "format": "date-time",
    "pattern": (
        "^(1969-12-31|(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))"
        "[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?"
        "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
    ),
    "not": {"pattern": "[^0-9TtZz:.+-]"},
}
