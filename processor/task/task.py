"""The task of one stream: take over, restore, run, stop."""

import logging
from contextlib import suppress

from processor.errors import BrokenInvariant, LiveOrdersError, OffsetGone, TaskLost
from processor.task.context import TaskContext
from processor.task.gate import Stopped
from processor.task.handover import take_over
from processor.task.lifecycle import TaskState, move
from processor.task.loop import StreamLoop
from processor.task.ports import Membership
from processor.task.restore.origin import require_own_app
from processor.task.restore.restore import Restored, restore

_log = logging.getLogger(__name__)


class StreamTask:
    """Owns one stream from its assignment until it stops or is lost.

    A task is used once. It never retries: a failure ends it, and its runner decides what follows.
    """

    def __init__(self, context: TaskContext) -> None:
        self.state = TaskState.ASSIGNED
        self._context = context

    async def run(self) -> None:
        """Live until the gate is stopped, or until the task is lost.

        Raises:
            TaskLost: take over and restore again, if the stream is still ours.
            LiveOrdersError: the process must end.
        """
        try:
            async with self._context.restoring:
                await self._context.gate.passable()
                membership = self._context.committer.membership
                self._move(TaskState.TAKING_OVER)
                await require_own_app(self._context)
                await take_over(self._context)
                self._move(TaskState.RESTORING)
                restored = await restore(self._context)
            await self._live(restored, membership)
        except Stopped:
            _log.debug("stream %d: told to stop", self._context.stream)
        finally:
            self._move(TaskState.STOPPING)
            self._move(TaskState.CLOSED)

    def _move(self, target: TaskState) -> None:
        self.state = move(self.state, target)
        self._context.observer.on_state(self._context.stream, target)

    async def _live(self, restored: Restored, membership: Membership | None) -> None:
        context = self._context
        reader = await context.broker.read_inputs(context.stream, restored.offsets)
        loop = StreamLoop(context, reader, restored, membership)
        try:
            await loop.take_over()
            self._move(TaskState.RUNNING)
            _log.info(
                "stream %d: running from offset %d with %d live orders",
                context.stream,
                loop.next_offset,
                len(restored.orders),
            )
            # Told to stop with records in hand: they are left, what is written is committed.
            with suppress(Stopped):
                while not context.gate.stopped:
                    await loop.once()
            await loop.finish()
        except OffsetGone as error:
            # The restore names what is gone, and refuses or goes on.
            raise TaskLost(f"an offset is gone: {error}") from error
        except (TaskLost, LiveOrdersError, Stopped):
            raise
        except Exception as error:
            raise BrokenInvariant(
                f"stream {context.stream} cannot get past offset {loop.next_offset} of "
                f"{context.identity.input_name} ({type(error).__name__}: {error}); nothing of this "
                "batch was committed; please report it with the record at that offset"
            ) from error
        finally:
            await loop.close()
            await reader.close()
