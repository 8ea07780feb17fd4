"""Answers, for people and as JSON lines."""

from typing import get_args

from processor.cli.render.text import safe
from processor.cli.terminal.output import Paint
from processor.wire.answer import Answer
from processor.wire.claim import UNKNOWN_OFFSET
from processor.wire.event import RefusalReason

# The answer says no more than the rule that was broken; the dead letter says how.
_WITH_LETTER = get_args(RefusalReason)
_STYLES = {"applied": "green", "rejected": "red", "forwarded": "cyan", "revoked": "magenta"}


def answer_line(answer: Answer, paint: Paint, option: str = "") -> str:
    """One answer for people: where, what, whose, and what became of it.

    A correction says "revoked", for it takes back what another line said of the same event.

    Args:
        answer: the answer.
        paint: for what became of it.
        option: what a command line needs to mean these topics, with a blank before.
    """
    offset = answer["input"]["offset"]
    where = f"{answer['input']['partition']}/{'?' if offset == UNKNOWN_OFFSET else offset}"
    what = " ".join(
        part for part in (answer.get("type", "?"), answer.get("order_id")) if part is not None
    )
    whose = f" of {answer['user_id']}" if "user_id" in answer else ""
    word = "revoked" if "revoked" in answer else answer["result"]
    became: str = paint(word, _STYLES[word])
    if "reason" in answer:
        became += f": {answer['reason']}"
    if "count" in answer:
        became += f", {answer['count']} removed"
    if answer.get("reason") in _WITH_LETTER:
        became += f"; see: live-orders dead-letters list{option} --where source={where}"
    return f"{where} {safe(what)}{safe(whose)}: {became}"
