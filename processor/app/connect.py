"""How the parts of a process connect to Kafka."""

import uuid

from processor.kafka.connection import Connection
from processor.settings import Settings


def connection_of(settings: Settings, role: str) -> Connection:
    """How to connect; the client id is ours alone, for it tells group members apart."""
    return Connection(
        settings.bootstrap_servers,
        client_id=f"{settings.app_id}-{role}-{uuid.uuid4().hex[:12]}",
        request_timeout_ms=settings.request_timeout_ms,
        connect_timeout_ms=settings.connect_timeout_ms,
    )


def new_id() -> str:
    """A name that was never used before."""
    return uuid.uuid4().hex
