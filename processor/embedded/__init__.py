"""The embedded broker: a Kafka for development in one small program, without Java or Docker."""

from processor.embedded.broker import EmbeddedBroker, embedded_broker

__all__ = ["EmbeddedBroker", "embedded_broker"]
