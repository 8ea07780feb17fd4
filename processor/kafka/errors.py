"""aiokafka's errors, sorted by remedy: the one seam to the client library."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    AuthenticationFailedError,
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    IllegalOperation,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
    kafka_errors,
)

from processor.errors import KafkaUnavailable, OffsetGone, TaskLost
from processor.kafka.fetch_errors import TopicGone

# PRODUCER_FENCED, which aiokafka 0.14 does not know and shows as an unknown error "during batch
# delivery". It means what the older code means that aiokafka turns into ProducerFenced.
kafka_errors.setdefault(90, InvalidProducerEpoch)


class UnstableOffsetCommitError(BrokerResponseError):
    """An open transaction has an offset for the partition; aiokafka 0.14 does not know it."""

    errno = 88
    message = "UNSTABLE_OFFSET_COMMIT"
    retriable = True


kafka_errors.setdefault(UnstableOffsetCommitError.errno, UnstableOffsetCommitError)

REFUSALS = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

# How aiokafka begins the text of what a broker answers; the kind that follows says the same.
_CODE = re.compile(r"^\[Error -?\d+\] ")


def describe(error: BaseException) -> str:
    """The error in a few words, its kind first."""
    text = _CODE.sub("", str(error))
    kind = type(error).__name__
    return text if text.startswith(kind) else f"{kind}: {text}" if text else kind


@contextmanager
def for_task(doing: str) -> Iterator[None]:
    """Translate for tasks: any failure loses the task, but for a refusal.

    Raises:
        KafkaUnavailable: Kafka refuses us, and will again.
        OffsetGone: the position is not in the log.
        TaskLost: anything else; taking over and restoring is the remedy.
    """
    try:
        yield
    except OffsetOutOfRangeError as error:
        raise OffsetGone(str(error)) from error
    except REFUSALS as error:
        raise KafkaUnavailable(f"Kafka refuses {doing}: {describe(error)}") from error
    # aiokafka asserts its state machine: a producer that fails one is as dead as any other.
    # IllegalOperation: a producer that was cut off in between says that it is in no transaction.
    except (
        KafkaError,
        TopicGone,
        IllegalOperation,
        ConsumerStoppedError,
        OSError,
        TimeoutError,
        AssertionError,
    ) as error:
        raise TaskLost(f"{doing}: {describe(error)}") from error


@contextmanager
def for_command(bootstrap_servers: str) -> Iterator[None]:
    """Translate for one-off commands, which do not wait for a broker to come back.

    Raises:
        KafkaUnavailable: Kafka cannot be reached or refuses us.
    """
    try:
        yield
    except KafkaConnectionError as error:
        raise KafkaUnavailable(
            f"no Kafka answers at {bootstrap_servers}: start it, or name another one with "
            "--bootstrap-servers or LIVE_ORDERS_BOOTSTRAP_SERVERS"
        ) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise KafkaUnavailable(f"Kafka at {bootstrap_servers}: {describe(error)}") from error
