"""Errors by remedy: each says what happened, where, and what to do."""


class LiveOrdersError(Exception):
    """The base of all errors that end a command; ``exit_code`` is the process's."""

    exit_code = 70


class UsageError(LiveOrdersError):
    """Wrong use, settings or topics: the user can mend it."""

    exit_code = 2


class KafkaUnavailable(LiveOrdersError):
    """Kafka cannot be reached or refuses us."""

    exit_code = 3


class BrokenInvariant(LiveOrdersError):
    """Something that cannot be, is: nothing was committed, and the process must stop."""

    exit_code = 70


class TaskLost(Exception):
    """A task cannot go on as it is: cut off, a failed send, an unknown outcome, a broker away.

    The remedy is always the same: close, take over and restore, if the stream is still ours.
    """


class RoundAborted(TaskLost):
    """A transaction was aborted: nothing of it was committed."""


class SessionLost(TaskLost):
    """The process cannot write as it is: cut off, or the outcome of a transaction is unknown.

    It must acquire its transactional id again before it writes anything.
    """


class CutOff(SessionLost):
    """Another process has acquired the transactional id, or ended the transaction."""


class OffsetUnstable(Exception):
    """A transaction that has not ended has put an offset of the group into it."""


class OffsetGone(Exception):
    """The offset asked for is not in the log: retention has removed it, or it is past the end."""
