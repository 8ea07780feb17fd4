"""Writes what the fuzzer begins with: ``python -m tests.fuzz.seeds FOLDER DICTIONARY``."""

import sys
from pathlib import Path

from tests.broken_input import NASTY
from tests.builders import encode, place_fields

_TOKENS = [
    *('{"', '"}', '":', '","', "null", "true", "NaN", "1e400", "-1", "0.1", "\\u0000", "\\ud800"),
    *("\x1b[31m", "\\u001b", "\u202e", "\ufeff", '"type"', '"place"', '"pause"', '"resume"'),
    *('"cancel"', '"cancel_all_by_user"', '"order_id"', '"user_id"', '"currency"', '"amount"'),
    *('"price"', '"event_id"', '"occurred_at"', '"schema"', '"2026-01-31T12:00:00.5+01:00"'),
]


def _write(folder: Path, dictionary: Path) -> None:
    events = [
        encode(**place_fields("o1", occurred_at="2026-01-31T12:00:00Z", event_id="e", schema=1)),
        *(encode(type=name, order_id="o1") for name in ("pause", "resume", "cancel")),
        encode(type="cancel_all_by_user", user_id="alice"),
    ]
    seeds = [b"\n".join(events), *(value or b"" for value in NASTY.values())]
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    escaped = ["".join(f"\\x{byte:02x}" for byte in token.encode()) for token in _TOKENS]
    dictionary.write_text("".join(f'"{token}"\n' for token in escaped))


_write(Path(sys.argv[1]), Path(sys.argv[2]))
