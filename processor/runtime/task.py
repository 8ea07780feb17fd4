"""The task of one stream: fence, restore, run, stop."""

import logging

from processor.errors import BrokenInvariant, FootingLost, LiveOrdersError, OffsetGone
from processor.runtime.context import TaskContext
from processor.runtime.gate import Stopped
from processor.runtime.lifecycle import TaskState, move
from processor.runtime.loop import StreamLoop
from processor.runtime.ports import StreamWriter
from processor.runtime.restore import Restored, restore

_log = logging.getLogger(__name__)


class StreamTask:
    """Owns one stream from its assignment until it stops or loses its footing.

    A task is used once. It never retries: what goes wrong ends it, and whoever runs it decides.
    """

    def __init__(self, context: TaskContext) -> None:
        self.state = TaskState.ASSIGNED
        self._context = context

    async def run(self) -> None:
        """Live until the gate is stopped, or until something takes the ground away.

        Raises:
            FootingLost: fence and restore again, if the stream is still ours.
            LiveOrdersError: the process must end.
        """
        writer: StreamWriter | None = None
        try:
            async with self._context.gate.turn():
                self._move(TaskState.FENCING)
                writer = await self._context.broker.fence(self._context.stream)
            self._move(TaskState.RESTORING)
            restored = await restore(self._context, writer)
            await self._live(writer, restored)
        except Stopped:
            _log.debug("stream %d: told to stop", self._context.stream)
        finally:
            self._move(TaskState.STOPPING)
            if writer is not None:
                await writer.close()
            self._move(TaskState.CLOSED)

    def _move(self, target: TaskState) -> None:
        self.state = move(self.state, target)
        self._context.observer.on_state(self._context.stream, target)

    async def _live(self, writer: StreamWriter, restored: Restored) -> None:
        context = self._context
        reader = await context.broker.read_inputs(context.stream, restored.offsets)
        loop = StreamLoop(context, writer, reader, restored)
        try:
            if restored.stream.metadata is None:
                await loop.commit_start()
            if restored.claimed_seq is not None:
                await loop.turn_on(restored.claimed_seq)
                _log.info("stream %d: the directory is on from now on", context.stream)
            self._move(TaskState.RUNNING)
            _log.info(
                "stream %d: running from offset %d with %d live orders",
                context.stream,
                loop.next_offset,
                len(restored.stream.orders),
            )
            while not context.gate.stopped:
                await loop.once()
        except OffsetGone as error:
            # Restoring tells what is gone, and refuses or goes on.
            raise FootingLost(f"an offset is gone: {error}") from error
        except (FootingLost, LiveOrdersError, Stopped):
            raise
        except Exception as error:
            raise BrokenInvariant(
                f"stream {context.stream} cannot get past offset {loop.next_offset} of "
                f"{context.plan.input_name} ({type(error).__name__}: {error}); nothing of this "
                "batch was committed; please report it with the record at that offset"
            ) from error
        finally:
            await loop.close()
            await reader.close()
