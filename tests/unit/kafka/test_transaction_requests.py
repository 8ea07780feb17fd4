"""The requests of the transaction machines on the client, and what is read from answers."""

from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, NodeNotReadyError

from processor.kafka.transaction_requests import (
    CONNECTIONS,
    TransactionRequests,
    transaction_version,
)
from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    FindCoordinator,
    InitProducerId,
    Produce,
    ProducedBatch,
    RefreshLeaders,
    Request,
)
from processor.kafka.transactions.responses import (
    CoordinatorFound,
    Described,
    Ended,
    LeadersFound,
    OffsetsAdded,
    OffsetsCommitted,
    PartitionsAdded,
    Produced,
    ProducerIdGiven,
    Response,
    Written,
)
from processor.kafka.transactions.values import (
    CoordinatorKey,
    CoordinatorKind,
    Ending,
    Producer,
    TopicPartition,
    TransactionVersion,
)
from tests.unit.kafka.sessions import OFFSETS, P0, P1, V1, V2, batch

PRODUCER = Producer(7, 3)
# The highest versions of a broker that has all.
VERSIONS = {
    0: (3, 13),
    10: (0, 6),
    22: (0, 6),
    24: (0, 5),
    25: (0, 4),
    26: (0, 5),
    28: (0, 5),
    65: (0, 0),
}
BATCHES = (ProducedBatch(P0, batch("a"), 5), ProducedBatch(P1, batch("b"), 6))


class Client:
    """Keeps what is sent, and answers as it is told."""

    def __init__(self, answer: object = None, *, node: int | None = 4) -> None:
        self.sent: Any = None
        self.node: int | None = None
        self._answer = answer
        self._any_node = node

    def get_random_node(self) -> int | None:
        """Some broker."""
        return self._any_node

    async def send(self, node: int, request: Any, *, group: object) -> object:
        """Encode as a connection would."""
        assert group == CONNECTIONS
        self.node = node
        if isinstance(self._answer, Exception):
            raise self._answer
        self.sent = request.prepare(VERSIONS)
        self.sent.encode()
        return self._answer


async def find_leaders(partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
    """All are led by the same."""
    return dict.fromkeys(partitions, 8)


async def ask(client: Client, request: Request) -> Response:
    """Ask once."""
    requests = TransactionRequests(
        cast("AIOKafkaClient", client), find_leaders, produce_timeout_ms=1234
    )
    return await requests.ask(request)


def by_partition(*codes: int) -> list[tuple[str, list[tuple[int, int, dict[int, bytes]]], object]]:
    """Error codes as flexible versions have them."""
    return [("t", [(number, code, {}) for number, code in enumerate(codes)], {})]


@pytest.mark.parametrize(
    ("request_", "node", "version", "answer", "response"),
    [
        (
            FindCoordinator(1, CoordinatorKey(CoordinatorKind.GROUP, "g")),
            4,
            1,
            SimpleNamespace(error_code=0, coordinator_id=2),
            CoordinatorFound(0, 2),
        ),
        (
            InitProducerId(1, 5, "app", 60_000),
            5,
            0,
            SimpleNamespace(error_code=0, producer_id=7, producer_epoch=3),
            ProducerIdGiven(0, PRODUCER),
        ),
        (
            Describe(1, 5, "app"),
            5,
            0,
            SimpleNamespace(transaction_states=[(0, "app", "Ongoing", 60, -1, 7, 3, [], {})]),
            Described(0, "Ongoing", PRODUCER, 60),
        ),
        (
            AddPartitions(1, 5, "app", PRODUCER, (P0, P1)),
            5,
            0,
            SimpleNamespace(errors=[("t", [(0, 0), (1, 3)])]),
            PartitionsAdded({P0: 0, P1: 3}),
        ),
        (
            AddOffsets(1, 5, "app", PRODUCER, "g"),
            5,
            0,
            SimpleNamespace(error_code=51),
            OffsetsAdded(51),
        ),
        (
            CommitOffsets(1, 5, "app", V1, PRODUCER, OFFSETS),
            5,
            3,
            SimpleNamespace(topics=by_partition(0, 22)),
            OffsetsCommitted({P0: 0, P1: 22}),
        ),
        (
            CommitOffsets(1, 5, "app", V2, PRODUCER, OFFSETS),
            5,
            5,
            SimpleNamespace(topics=by_partition(0)),
            OffsetsCommitted({P0: 0}),
        ),
        (
            End(1, 5, "app", V1, PRODUCER, Ending.COMMIT),
            5,
            0,
            SimpleNamespace(error_code=48),
            Ended(48),
        ),
        (
            End(1, 5, "app", V2, PRODUCER, Ending.ABORT),
            5,
            5,
            SimpleNamespace(error_code=0, producer_id=7, producer_epoch=4),
            Ended(0, Producer(7, 4)),
        ),
        *(
            (
                Produce(1, 5, "app", version, PRODUCER, BATCHES),
                5,
                number,
                SimpleNamespace(topics=[("t", [(0, 0, 99, -1), (1, 6, -1, -1)], {})]),
                Produced({P0: Written(0, 99), P1: Written(6, -1)}),
            )
            for version, number in ((V1, 8), (V2, 12))
        ),
    ],
)
async def test_a_request_goes_out_in_its_version_and_its_answer_is_read(
    request_: Request, node: int, version: int, answer: object, response: Response
) -> None:
    client = Client(answer)
    assert await ask(client, request_) == response
    assert (client.node, client.sent.API_VERSION) == (node, version)


async def test_offsets_tell_the_member_with_its_generation() -> None:
    client = Client(SimpleNamespace(topics=by_partition(0)))
    await ask(client, CommitOffsets(1, 5, "app", V1, PRODUCER, OFFSETS))
    sent = client.sent.to_object()
    assert (sent["group_id"], sent["member_id"], sent["generation_id"]) == ("g", "member", 5)
    assert sent["group_instance_id"] == "instance"
    assert (sent["producer_id"], sent["producer_epoch"]) == (7, 3)
    ((topic, [(partition, offset, leader_epoch, metadata, _)], _),) = client.sent.topics
    assert (topic, partition, offset, leader_epoch, metadata) == ("in", 0, 9, -1, "note")


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("ending", Ending)
async def test_an_end_tells_how(version: TransactionVersion, ending: Ending) -> None:
    client = Client(SimpleNamespace(error_code=0, producer_id=7, producer_epoch=4))
    await ask(client, End(1, 5, "app", version, PRODUCER, ending))
    fields = list(client.sent.to_object().values())
    assert fields[:4] == ["app", 7, 3, ending is Ending.COMMIT]


async def test_batches_are_stamped_with_their_producer_and_sequence() -> None:
    client = Client(SimpleNamespace(topics=[]))
    await ask(client, Produce(1, 5, "app", V2, PRODUCER, BATCHES))
    encoded = client.sent.encode()
    assert b"a:7:3:5" in encoded
    assert b"b:7:3:6" in encoded


async def test_a_broker_that_cannot_describe_says_so() -> None:
    client = Client(IncompatibleBrokerVersion())
    assert await ask(client, Describe(1, 5, "app")) == Described(ErrorCode.UNSUPPORTED_VERSION)


async def test_leaders_come_from_whoever_knows_them() -> None:
    assert await ask(Client(), RefreshLeaders(1, (P0, P1))) == LeadersFound({P0: 8, P1: 8})


async def test_nobody_is_asked_while_no_broker_is_known() -> None:
    key = CoordinatorKey(CoordinatorKind.GROUP, "g")
    with pytest.raises(NodeNotReadyError):
        await ask(Client(node=None), FindCoordinator(1, key))


@pytest.mark.parametrize(("level", "version"), [(None, V1), (0, V1), (1, V1), (2, V2), (3, V2)])
async def test_the_version_is_what_the_cluster_has_agreed_on(
    level: int | None, version: TransactionVersion
) -> None:
    tags = {}
    if level is not None:
        name = b"transaction.version"
        tags[2] = b"\x02" + bytes([len(name) + 1]) + name + bytes([0, level, 0, 0, 0])
    client = Client(SimpleNamespace(tags=tags))
    assert await transaction_version(cast("AIOKafkaClient", client)) is version


async def test_an_old_broker_has_version_1() -> None:
    client = Client(IncompatibleBrokerVersion())
    assert await transaction_version(cast("AIOKafkaClient", client)) is V1
