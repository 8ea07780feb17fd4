"""A client that asks for no metadata by itself.

aiokafka's asks for all topics of the cluster, whosever they are, every five minutes and after each
lost connection, and decodes the answer in one go; asked for some topics by name, it would create
those that were deleted. `ClusterWatch` asks instead.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.metadata import MetadataResponse_v1

from processor.kafka.cluster_view import BrokerAddress

_NEVER_MS: Final = 1 << 40


class ClusterClient(AIOKafkaClient):
    """Connections to all brokers; who they are has to be told.

    Attributes:
        on_stale: called when a connection was lost or a broker is not known.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, metadata_max_age_ms=_NEVER_MS)  # type: ignore[no-untyped-call]
        self.on_stale: Callable[[], None] = lambda: None

    def force_metadata_update(self) -> asyncio.Future[bool]:
        """Part of `AIOKafkaClient`."""
        self.on_stale()
        updated: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        updated.set_result(True)
        return updated

    def learn_brokers(self, brokers: Iterable[BrokerAddress], controller: int) -> None:
        """Know these brokers and no others from now on."""
        known = [(one.node, one.host, one.port, one.rack) for one in brokers]
        self.cluster.update_metadata(MetadataResponse_v1(known, controller, []))
