"""An admin client that answers from a script."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any


class ScriptedAdmin:
    """Gives its answers one after the other, whatever the request, and keeps the requests."""

    def __init__(self, answers: Sequence[SimpleNamespace | Exception]) -> None:
        self.requests: list[Any] = []
        self._answers = list(answers)

    async def find_coordinator(self, name: str, kind: int = 0) -> int:
        """Always the same node."""
        return 1

    async def _send_request(self, request: Any, node: int | None = None) -> SimpleNamespace:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer
