"""Error codes of a fetch, sorted by remedy."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Remedy(Enum):
    """The remedies of a session for an error."""

    ASK_AGAIN = "ask the same broker again, a little later"
    FIND_LEADER = "ask for newer metadata, then the leader"
    DOUBT_TOPIC = "the same; tell the reader that the topic is gone when it does not pass"
    TELL_OFFSET_GONE = "tell the reader that its position is not in the log"
    TELL_REFUSED = "tell the reader that Kafka refuses it"
    TELL_CORRUPT = "tell the reader that the log is corrupt"


NONE: Final = 0

_REMEDIES: Final = {
    1: Remedy.TELL_OFFSET_GONE,  # OFFSET_OUT_OF_RANGE
    2: Remedy.TELL_CORRUPT,  # CORRUPT_MESSAGE
    3: Remedy.DOUBT_TOPIC,  # UNKNOWN_TOPIC_OR_PARTITION
    5: Remedy.FIND_LEADER,  # LEADER_NOT_AVAILABLE
    6: Remedy.FIND_LEADER,  # NOT_LEADER_OR_FOLLOWER
    8: Remedy.FIND_LEADER,  # BROKER_NOT_AVAILABLE
    9: Remedy.FIND_LEADER,  # REPLICA_NOT_AVAILABLE
    13: Remedy.FIND_LEADER,  # NETWORK_EXCEPTION
    17: Remedy.TELL_REFUSED,  # INVALID_TOPIC_EXCEPTION
    29: Remedy.TELL_REFUSED,  # TOPIC_AUTHORIZATION_FAILED
    31: Remedy.TELL_REFUSED,  # CLUSTER_AUTHORIZATION_FAILED
    35: Remedy.TELL_REFUSED,  # UNSUPPORTED_VERSION
    42: Remedy.TELL_REFUSED,  # INVALID_REQUEST
    56: Remedy.FIND_LEADER,  # KAFKA_STORAGE_ERROR
    74: Remedy.FIND_LEADER,  # FENCED_LEADER_EPOCH
    70: Remedy.ASK_AGAIN,  # FETCH_SESSION_ID_NOT_FOUND
    71: Remedy.ASK_AGAIN,  # INVALID_FETCH_SESSION_EPOCH
    75: Remedy.FIND_LEADER,  # UNKNOWN_LEADER_EPOCH
    76: Remedy.TELL_REFUSED,  # UNSUPPORTED_COMPRESSION_TYPE
    78: Remedy.ASK_AGAIN,  # OFFSET_NOT_AVAILABLE
    100: Remedy.DOUBT_TOPIC,  # UNKNOWN_TOPIC_ID
    103: Remedy.DOUBT_TOPIC,  # INCONSISTENT_TOPIC_ID
    106: Remedy.ASK_AGAIN,  # FETCH_SESSION_TOPIC_ID_ERROR
}


def remedy_for(error_code: int) -> Remedy:
    """The remedy; a code that is not known here may pass, and is told if it does not."""
    return _REMEDIES.get(error_code, Remedy.ASK_AGAIN)


class Trouble(Enum):
    """Why a reader gets no records."""

    OFFSET_GONE = "its position is not in the log"
    TOPIC_GONE = "its topic was deleted, or made anew"
    REFUSED = "Kafka refuses it"
    CORRUPT = "the log is corrupt"
    UNHEARD = "no broker has answered for too long"


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure that a reader is told.

    Attributes:
        error_code: the broker's, 0 where there was none.
        old_id: the topic's id when reading began, if known.
        new_id: the topic's id now; None if it does not exist.
        detail: more, in words.
    """

    trouble: Trouble
    error_code: int = NONE
    old_id: bytes | None = None
    new_id: bytes | None = None
    detail: str = ""


TELLING: Final = {
    Remedy.TELL_OFFSET_GONE: Trouble.OFFSET_GONE,
    Remedy.TELL_REFUSED: Trouble.REFUSED,
    Remedy.TELL_CORRUPT: Trouble.CORRUPT,
}
"""Failures that are told at once."""
