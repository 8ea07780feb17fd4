"""What a reader is told, as exceptions."""

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    OffsetOutOfRangeError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)

from processor.kafka.fetch_errors import TopicGone, error_of
from processor.kafka.fetching.reading import Reading
from processor.kafka.fetching.remedies import Failure, Trouble

KINDS = [
    (Failure(Trouble.OFFSET_GONE, 1), OffsetOutOfRangeError, "a/3 at offset 7"),
    (Failure(Trouble.REFUSED, 29), TopicAuthorizationFailedError, "a/3 at offset 7"),
    (Failure(Trouble.CORRUPT, detail="broken"), CorruptRecordException, "a/3 at offset 7: broken"),
    (Failure(Trouble.CORRUPT, 2), CorruptRecordException, "a/3 at offset 7: so says its broker"),
    (Failure(Trouble.UNHEARD, 6), RequestTimedOutError, "the last error is 6"),
    (Failure(Trouble.TOPIC_GONE, 3, b"\1", None), TopicGone, "deleted: its id was 01"),
    (Failure(Trouble.TOPIC_GONE, 0, None, b"\2"), TopicGone, "made anew: .* unknown, now 02"),
]


@pytest.mark.parametrize(("failure", "kind", "text"), KINDS)
def test_each_failure_has_its_exception(failure: Failure, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        raise error_of(Reading("a", 3, 7, None), failure)
