"""Messages of ``--follow`` and ``watch`` while they follow."""

from processor.cli.terminal.output import require_reader, say
from processor.errors import OffsetGone, TaskLost


class Following:
    """Says when the broker is away and when it is back, and notices when nobody reads."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._away = False

    def on_away(self, error: TaskLost | OffsetGone) -> None:
        """Say it once."""
        if not self._away:
            say(
                f"live-orders: Kafka at {self._servers} does not answer ({error}); "
                "trying again until it does"
            )
        self._away = True

    def on_back(self) -> None:
        """Say it once."""
        if self._away:
            say(f"live-orders: Kafka at {self._servers} answers again; nothing was missed")
        self._away = False

    def on_turn(self) -> None:
        """End when the reader of our pipe is gone.

        Raises:
            BrokenPipeError: it is.
        """
        require_reader()
