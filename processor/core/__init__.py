"""The pure core: order rules, streams and snapshots. No Kafka, asyncio, clock or environment."""
