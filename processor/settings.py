"""The settings of a process: the only reader of the environment.

Flags win over the environment (``LIVE_ORDERS_*``), the environment over ``.env``.
"""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from processor.errors import UsageError

# The protocol's clocks have 32 bits: some 24 days.
Milliseconds = Annotated[int, Field(gt=0, le=2_147_483_647)]
_HOUR_MS = 3_600_000
# A place that waits for its time goes out so much later: the loop's sleep, a commit, a hop.
_ROUTING_SLACK_MS = 1_000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_PREFIX = "LIVE_ORDERS_"
_ENV_FILE = ".env"
_ASSIGNED = re.compile(rf"^[ \t]*(?:export[ \t]+)?({_PREFIX}\w+)[ \t]*=", re.MULTILINE)
# Names that other parts of the project, or an orchestrator, give with our prefix.
_NOT_OURS = re.compile(r"LIVE_ORDERS_(TEST_|REQUIRE_|BUILD_|KAFKA_|SERVICE_|PORT)")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 100 of the characters A-Z a-z 0-9 . _ -")
    return text


def _servers(text: str) -> str:
    servers = [part.strip() for part in text.split(",")]
    for server in servers:
        found = _SERVER.fullmatch(server)
        if found is None or not 0 < int(found["port"] or 1) < 65_536:
            raise ValueError("must be host:port, or several of them with commas between")
    return ",".join(servers)


Name = Annotated[str, AfterValidator(_name)]
Servers = Annotated[str, AfterValidator(_servers)]


class Settings(BaseSettings):
    """All settings; see each field's description."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=_ENV_FILE, extra="ignore", frozen=True
    )

    bootstrap_servers: Servers = Field(
        "127.0.0.1:9092", min_length=1, description="Kafka's addresses, host:port, comma-separated"
    )
    app_id: Name = Field(
        "live-orders", description="consumer group, and prefix of transactional ids"
    )
    topic_prefix: Name = Field("orders.", description="what the names of all topics begin with")

    commit_interval_ms: Milliseconds = Field(
        10,
        description="shortest time between two transactions; each costs the brokers about as much",
    )
    max_batch_events: int = Field(
        20_000,
        gt=0,
        description="a transaction takes no more once it has so many records, of all streams",
    )
    max_event_bytes: int = Field(
        65_536, gt=0, le=900_000, description="refuse events that are larger"
    )
    # The most is what brokers allow by default (transaction.max.timeout.ms).
    transaction_timeout_ms: int = Field(
        20_000, ge=10, le=900_000, description="the broker aborts a transaction that takes longer"
    )
    session_timeout_ms: Milliseconds = Field(
        10_000, description="without a sign of life for so long, a process loses its streams"
    )
    heartbeat_interval_ms: Milliseconds = Field(1_000, description="heartbeat interval")
    rebalance_timeout_ms: Milliseconds = Field(
        15_000, description="how long a rebalance waits for a process to finish its transactions"
    )
    request_timeout_ms: Milliseconds = Field(10_000, description="how long a request may take")
    connect_timeout_ms: Milliseconds = Field(
        5_000, description="how long a command waits for a Kafka that does not answer"
    )

    # A waiting command is kept with its deadline: a mistake here would last as long.
    routing_grace_ms: int = Field(
        5_000,
        gt=0,
        le=_HOUR_MS,
        description="how long a command by order id alone waits for a place of that id",
    )

    dedupe_events: int = Field(
        200_000,
        ge=0,
        le=100_000_000,
        description="refuse an event whose event_id is among those of the stream's last so many "
        "events; 0: refuse none",
    )
    reorder_window_ms: int = Field(
        0,
        ge=0,
        le=_HOUR_MS,
        description="apply events in the order of their times, if late by no more; 0: as they come",
    )
    reorder_idle_ms: Milliseconds = Field(
        1_000,
        description="release held events after this long, or the window, without a new one",
    )
    late_events: Literal["apply", "reject"] = Field(
        "apply", description="what becomes of an event that is late by more than the window"
    )
    max_future_ms: Milliseconds = Field(
        60_000, description="with a window, refuse events whose time is ahead of the clock by more"
    )
    reorder_max_events: int = Field(
        100_000, gt=0, description="how many events of a stream may be held"
    )

    snapshot_interval_ms: Milliseconds = Field(1_000, description="snapshot at most so often")
    snapshot_max_age_ms: Milliseconds = Field(
        600_000, description="a snapshot of a stream that changes is never older"
    )
    accept_lost_events: bool = Field(
        False, description="go on although retention has removed events that were not read"
    )

    market_rate: float = Field(
        20, gt=0, le=100_000, description="events a second that the market sends"
    )
    market_users: int = Field(1_000, gt=0, le=1_000_000, description="users of the market")
    market_max_live: int = Field(
        2_000, gt=0, le=1_000_000, description="live orders of the market at most"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _require(self, "commit_interval_ms", "transaction_timeout_ms", factor=2)
        _require(self, "heartbeat_interval_ms", "session_timeout_ms", factor=3)
        _require(self, "session_timeout_ms", "rebalance_timeout_ms")
        _require(self, "snapshot_interval_ms", "snapshot_max_age_ms", factor=2)
        if self.reorder_window_ms:
            # Else a place that waits for its time would come too late for a command by id alone.
            for wait in ("reorder_window_ms", "reorder_idle_ms"):
                _require(self, wait, "routing_grace_ms", plus_ms=_ROUTING_SLACK_MS)
        return self


def _require(
    settings: Settings, lesser: str, greater: str, *, factor: int = 1, plus_ms: int = 0
) -> None:
    has, other = getattr(settings, greater), getattr(settings, lesser)
    least = factor * other + plus_ms
    if has < least:
        times = f"{factor} times " if factor > 1 else ""
        more = f", and {plus_ms} more" if plus_ms else ""
        raise ValueError(
            f"{greater} is {has}, but must be at least {least}: {times}{lesser}, which is {other}"
            f"{more}; raise the one or lower the other"
        )


_WORDS = {
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "greater_than": "must be greater than {gt:g}",
    "less_than_equal": "must be at most {le:.0f}",
    "greater_than_equal": "must be at least {ge:g}",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
}


def unknown_settings() -> list[str]:
    """A sentence for each name in the environment or .env that looks like a setting and is none.

    Raises:
        UsageError: .env cannot be read.
    """
    known = [f"{_PREFIX}{name.upper()}" for name in Settings.model_fields]
    said = []
    for name in sorted({*os.environ, *_names_in_env_file()}):
        if name.startswith(_PREFIX) and name not in known and not _NOT_OURS.match(name):
            meant = get_close_matches(name, known, n=1, cutoff=0.8)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            said.append(f"Unknown setting {name} is ignored{hint}")
    return said


def _names_in_env_file() -> list[str]:
    if not Path(_ENV_FILE).is_file():
        return []
    try:
        return _ASSIGNED.findall(Path(_ENV_FILE).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable_env_file(error) from None


def _unreadable_env_file(error: OSError | UnicodeDecodeError) -> UsageError:
    why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    return UsageError(f"{_ENV_FILE} in the working directory cannot be read: {why}")


def load_settings(**flags: Any) -> Settings:
    """The settings, with flags that were given (not None) on top.

    Raises:
        UsageError: one is wrong, they do not fit together, or .env cannot be read.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "_".join(str(step) for step in first["loc"])
        text = _WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        text = text.format(**first.get("ctx", {}))
        where = f"setting {name} (LIVE_ORDERS_{name.upper()}): " if name else "settings: "
        raise UsageError(where + text) from None
    except (OSError, UnicodeDecodeError) as error:  # all that it reads is .env
        raise _unreadable_env_file(error) from None


def editor_command() -> str | None:
    """The user's editor, by the names that all programs look at; None when there is none."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or None
