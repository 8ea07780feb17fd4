"""Which dead letters ``--where`` chooses."""

import pytest

from processor.cli.dead_letters.filter import read_conditions, read_places
from processor.errors import UsageError
from processor.reader.dead_letters import Replay
from processor.wire.replay import Position
from tests.letters import AT, letter, strange_letter


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        (["reason=invalid"], True),
        (["reason=malformed"], False),
        (["source=6"], True),
        (["source=6/2"], True),
        (["source=6/3"], False),
        (["source=5"], False),
        (["detail=greater"], True),
        (["detail=less"], False),
        (["key=bob"], True),
        (["key=bo"], False),
        (["replayed=no"], True),
        (["replayed=yes"], False),
        ([f"since={AT}"], True),
        ([f"until={AT}"], False),
        (["since=2026-01-01T00:00:01Z"], False),
        (["until=2026-01-01T00:00:01Z"], True),
        (["reason=invalid", "source=6"], True),
        (["reason=invalid", "source=5"], False),
        ([], True),
    ],
)
def test_all_conditions_must_hold(where: list[str], chosen: bool) -> None:
    assert all(condition(letter()) for condition in read_conditions(where)) == chosen


def test_a_letter_that_was_put_back_is_told_from_others() -> None:
    (condition,) = read_conditions(["replayed=yes"])
    assert condition(letter(replays=[Replay(Position(6, 17), 0)]))


@pytest.mark.parametrize("where", ["source=6", "reason=invalid", "source=1"])
def test_of_a_letter_that_somebody_else_wrote_nothing_is_known(where: str) -> None:
    (condition,) = read_conditions([where])
    assert not condition(strange_letter())


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (
            "reson=invalid",
            "there is no 'reson' (did you mean reason?); the names are reason, detail,",
        ),
        ("\x1b=1", "the names are reason, detail, source, key, replayed, since, until"),
        ("reason", "give it a value, such as reason=..."),
        ("reason=bad", "reason must be one of malformed, invalid, too_large"),
        ("source=x", "source must be PARTITION or PARTITION/OFFSET, such as 6/2"),
        ("source=-1", "source must be PARTITION or PARTITION/OFFSET, such as 6/2"),
        ("replayed=maybe", "replayed must be yes or no"),
        ("since=yesterday", "since must be an RFC 3339 time with a zone"),
    ],
)
def test_what_is_no_condition_is_one_sentence(where: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_conditions([where])
    assert sentence in str(raised.value)
    assert str(raised.value).isprintable()


def test_letters_are_named_as_the_list_prints_them() -> None:
    assert read_places(["6/9", "0/0"]) == {Position(6, 9), Position(0, 0)}
    for wrong in ("6", "6/", "/9", "a/b", "6/9/1", "-6/9", "\u0666/9"):
        with pytest.raises(UsageError, match="is not PARTITION/OFFSET"):
            read_places([wrong])
