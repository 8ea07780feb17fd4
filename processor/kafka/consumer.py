"""Starting and stopping aiokafka consumers without a group."""

import asyncio
import logging

from aiokafka import AIOKafkaConsumer

_log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 1.5


async def start_consumer(consumer: AIOKafkaConsumer) -> None:
    """Start a consumer; stop it when that fails."""
    try:
        await consumer.start()
    except BaseException:
        await stop_consumer(consumer)
        raise
    # stop() cancels a background task and awaits it; one that never began to run would raise
    # CancelledError into us.
    await asyncio.sleep(0)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer within a bound, whatever state it is in."""
    stopping = asyncio.ensure_future(consumer.stop())
    done, _ = await asyncio.wait([stopping], timeout=_STOP_TIMEOUT_S)
    if not done:
        stopping.cancel()
        _log.debug("a consumer did not stop in %s s", _STOP_TIMEOUT_S)
    elif not stopping.cancelled() and (error := stopping.exception()) is not None:
        _log.debug("stopping a consumer: %r", error)
