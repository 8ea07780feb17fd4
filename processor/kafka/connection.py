"""How every client of ours connects."""

from dataclasses import dataclass
from typing import Any

from processor.kafka.uvloop_compat import expect_closed_transports


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Kafka is, how long a request to it may take, and how long to wait for it at first."""

    bootstrap_servers: str
    client_id: str = "live-orders"
    request_timeout_ms: int = 10_000
    retry_backoff_ms: int = 50
    connect_timeout_ms: int = 5_000

    def options(self) -> dict[str, Any]:
        """The options that all aiokafka clients share."""
        expect_closed_transports()
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "request_timeout_ms": self.request_timeout_ms,
            "retry_backoff_ms": self.retry_backoff_ms,
        }
