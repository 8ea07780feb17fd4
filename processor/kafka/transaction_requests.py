"""The requests of the transaction machines, sent through aiokafka's client."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, NodeNotReadyError
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)

from processor.kafka.protocol.api_versions import ApiVersionsRequest, finalized_features
from processor.kafka.protocol.describe_transactions import DescribeTransactionsRequest
from processor.kafka.protocol.end_txn import EndTxnV5
from processor.kafka.protocol.produce import ProduceV8, ProduceV12, Writes
from processor.kafka.protocol.txn_offset_commit import TxnOffsetCommitV3, TxnOffsetCommitV5
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
    Ending,
    Producer,
    TopicPartition,
    TransactionVersion,
)

# A connection of their own to each broker: on the one for fetches they would wait for data.
CONNECTIONS: Final = "transactions"
_FEATURE: Final = "transaction.version"
_NO_LEADER_EPOCH: Final = -1

FindLeaders: TypeAlias = Callable[
    [Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]
]
"""Asks for the leaders of partitions; those that have none are left out."""


async def transaction_version(client: AIOKafkaClient) -> TransactionVersion:
    """The protocol of transactions that the cluster has agreed on.

    Raises:
        KafkaError: no broker says.
    """
    request = ApiVersionsRequest("live-orders", "1")
    try:
        response: Any = await _send(client, _any_node(client), request)
    except IncompatibleBrokerVersion:
        return TransactionVersion.V1
    level = finalized_features(response).get(_FEATURE, 0)
    return TransactionVersion.V2 if level >= TransactionVersion.V2 else TransactionVersion.V1


class TransactionRequests:
    """Sends requests, and decodes what is answered."""

    def __init__(
        self, client: AIOKafkaClient, find_leaders: FindLeaders, *, produce_timeout_ms: int
    ) -> None:
        """Begin.

        Args:
            client: a client that has been bootstrapped.
            find_leaders: whom to ask for leaders.
            produce_timeout_ms: how long a leader may wait for its replicas.
        """
        self._client = client
        self._find_leaders = find_leaders
        self._produce_timeout_ms = produce_timeout_ms

    async def ask(self, request: Request) -> Response:
        """Send a request, and wait for its response.

        Raises:
            NodeNotReadyError: it was not sent.
            KafkaError: it may have been sent, and no response came.
        """
        match request:
            case RefreshLeaders():
                return LeadersFound(await self._find_leaders(request.partitions))
            case FindCoordinator():
                return await self._find_coordinator(request)
            case InitProducerId():
                return await self._init_producer_id(request)
            case Describe():
                return await self._describe(request)
            case AddPartitions():
                return await self._add_partitions(request)
            case AddOffsets():
                return await self._add_offsets(request)
            case Produce():
                return await self._produce(request)
            case CommitOffsets():
                return await self._commit_offsets(request)
            case End():
                return await self._end(request)

    async def _find_coordinator(self, request: FindCoordinator) -> CoordinatorFound:
        sent = FindCoordinatorRequest(request.key.name, int(request.key.kind))
        response = await _send(self._client, _any_node(self._client), sent)
        return CoordinatorFound(response.error_code, response.coordinator_id)

    async def _init_producer_id(self, request: InitProducerId) -> ProducerIdGiven:
        sent = InitProducerIdRequest(request.transactional_id, request.timeout_ms)
        response = await _send(self._client, request.node, sent)
        producer = Producer(response.producer_id, response.producer_epoch)
        return ProducerIdGiven(response.error_code, producer)

    async def _describe(self, request: Describe) -> Described:
        sent = DescribeTransactionsRequest(request.transactional_id)
        try:
            response = await _send(self._client, request.node, sent)
        except IncompatibleBrokerVersion:
            return Described(ErrorCode.UNSUPPORTED_VERSION)
        ((code, _id, state, timeout_ms, _start, producer_id, epoch, *_),) = (
            response.transaction_states
        )
        return Described(code, state, Producer(producer_id, epoch), timeout_ms)

    async def _add_partitions(self, request: AddPartitions) -> PartitionsAdded:
        topics = defaultdict(list)
        for topic, partition in request.partitions:
            topics[topic].append(partition)
        producer = request.producer
        sent = AddPartitionsToTxnRequest(
            request.transactional_id, producer.id, producer.epoch, list(topics.items())
        )
        response = await _send(self._client, request.node, sent)
        return PartitionsAdded(_by_partition(response.errors))

    async def _add_offsets(self, request: AddOffsets) -> OffsetsAdded:
        producer = request.producer
        sent = AddOffsetsToTxnRequest(
            request.transactional_id, producer.id, producer.epoch, request.group_id
        )
        response = await _send(self._client, request.node, sent)
        return OffsetsAdded(response.error_code)

    async def _produce(self, request: Produce) -> Produced:
        topics = defaultdict(list)
        producer = request.producer
        for sent in request.batches:
            encoded = sent.batch.stamp(producer.id, producer.epoch, sent.base_sequence)
            topics[sent.partition.topic].append((sent.partition.partition, encoded))
        kind = ProduceV12 if request.version is TransactionVersion.V2 else ProduceV8
        writes = Writes(request.transactional_id, self._produce_timeout_ms, topics)
        response = await _send(self._client, request.node, kind(writes))
        return Produced(
            {
                TopicPartition(topic, partition): Written(code, offset)
                for topic, partitions, *_ in response.topics
                for partition, code, offset, *_ in partitions
            }
        )

    async def _commit_offsets(self, request: CommitOffsets) -> OffsetsCommitted:
        kind = TxnOffsetCommitV5 if request.version is TransactionVersion.V2 else TxnOffsetCommitV3
        topics: dict[str, list[Any]] = defaultdict(list)
        for (topic, partition), at in request.offsets.offsets.items():
            topics[topic].append((partition, at.offset, _NO_LEADER_EPOCH, at.metadata, {}))
        sent = kind(
            request.transactional_id,
            request.offsets.group_id,
            request.producer.id,
            request.producer.epoch,
            request.offsets.generation,
            request.offsets.member_id,
            request.offsets.group_instance_id,
            [(topic, partitions, {}) for topic, partitions in topics.items()],
            {},
        )
        response = await _send(self._client, request.node, sent)
        return OffsetsCommitted(_by_partition(response.topics))

    async def _end(self, request: End) -> Ended:
        producer, commit = request.producer, request.ending is Ending.COMMIT
        if request.version is TransactionVersion.V1:
            old = EndTxnRequest(request.transactional_id, producer.id, producer.epoch, commit)
            response = await _send(self._client, request.node, old)
            return Ended(response.error_code)
        new = EndTxnV5(request.transactional_id, producer.id, producer.epoch, committed=commit)
        response = await _send(self._client, request.node, new)
        return Ended(response.error_code, Producer(response.producer_id, response.producer_epoch))


def _by_partition(topics: Iterable[Any]) -> dict[TopicPartition, int]:
    return {
        TopicPartition(topic, partition): code
        for topic, partitions, *_ in topics
        for partition, code, *_ in partitions
    }


def _any_node(client: AIOKafkaClient) -> int:
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    return int(node)


async def _send(client: AIOKafkaClient, node: int, request: Any) -> Any:
    return await client.send(node, request, group=CONNECTIONS)
