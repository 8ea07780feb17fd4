"""The bounds of a session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a session.

    ``round_timeout_ms`` is from `TransactionSession.start` to the outcome; it must be shorter than
    the broker's transaction timeout. ``missing_topic_ms`` is how long a topic may be unknown before
    the round is aborted. ``request_bytes`` bounds the batches of one Produce.
    ``await_completion`` is for version 2: learn that the markers are written before producing.
    """

    round_timeout_ms: float = 30_000
    missing_topic_ms: float = 5_000
    request_bytes: int = 4 * 1024 * 1024
    await_completion: bool = True
