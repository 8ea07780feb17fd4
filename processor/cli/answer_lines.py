"""Answers, for people and as JSON lines."""

from processor.cli.output import Paint
from processor.cli.text import safe
from schemas.answer import Answer

_STYLES = {"applied": "green", "rejected": "red", "forwarded": "cyan"}


def answer_line(answer: Answer, paint: Paint) -> str:
    """One answer for people: where, what, whose, and what became of it."""
    where = f"{answer['input']['partition']}/{answer['input']['offset']}"
    what = " ".join(
        part for part in (answer.get("type", "?"), answer.get("order_id")) if part is not None
    )
    whose = f" of {answer['user_id']}" if "user_id" in answer else ""
    became: str = paint(answer["result"], _STYLES[answer["result"]])
    if "reason" in answer:
        became += f": {answer['reason']}"
    if "count" in answer:
        became += f", {answer['count']} removed"
    return f"{where} {safe(what)}{safe(whose)}: {became}"
