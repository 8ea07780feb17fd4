"""Sets of offsets (or of other growing numbers) as runs, and as short lists of integers.

A packed set is a list: the first number; then, for each step up, how many numbers to skip before
the next one, or, negative, how many follow without a gap. ``[100, -2, 2, 4]`` is 100 to 102, 105,
110. Single numbers with gaps take one short integer each, and so does a run of any length.
"""

from bisect import bisect_right
from collections.abc import Iterable

Runs = list[tuple[int, int]]
"""First and after-last number of each run; ascending, and with gaps between them."""


def runs_of(numbers: Iterable[int]) -> Runs:
    """The runs of ascending numbers."""
    runs: Runs = []
    start = end = -1
    for number in numbers:
        if number == end:
            end += 1
        else:
            if end > start:
                runs.append((start, end))
            start, end = number, number + 1
    if end > start:
        runs.append((start, end))
    return runs


def joined(runs: Iterable[tuple[int, int]]) -> Runs:
    """The union of runs, which may overlap and come in any order."""
    union: Runs = []
    for start, end in sorted(runs):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def from_on(runs: Runs, first: int) -> Runs:
    """The part of the runs that is not before a number."""
    return [(max(start, first), end) for start, end in runs if end > first]


def pack(runs: Runs) -> list[int]:
    """Runs as a list of integers."""
    packed: list[int] = []
    last_end = 0
    for start, end in runs:
        packed.append(start - last_end)
        if end - start > 1:
            packed.append(start + 1 - end)
        last_end = end
    return packed


def unpack(packed: Iterable[int]) -> Runs:
    """The runs of a packed list.

    Raises:
        ValueError: the list is none.
    """
    runs: Runs = []
    after_single = False
    for number in packed:
        if number >= 0:
            start = number + (runs[-1][1] if runs else 0)
            if runs and number == 0:
                raise ValueError("runs that touch")
            runs.append((start, start + 1))
            after_single = True
        elif after_single:
            start, end = runs[-1]
            runs[-1] = (start, end - number)
            after_single = False
        else:
            raise ValueError("a run without a start")
    return runs


def has(runs: Runs, number: int) -> bool:
    """Whether a number is in one of the runs."""
    at = bisect_right(runs, number, key=_start) - 1
    return at >= 0 and number < runs[at][1]


def _start(run: tuple[int, int]) -> int:
    return run[0]
