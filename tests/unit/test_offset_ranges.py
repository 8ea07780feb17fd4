"""Sets of offsets, packed."""

import pytest

from processor.core.event_time.offset_ranges import from_on, has, joined, pack, runs_of, unpack


@pytest.mark.parametrize(
    ("numbers", "packed"),
    [
        ([], []),
        ([0], [0]),
        ([7], [7]),
        ([0, 1], [0, -1]),
        ([100, 101, 102, 105, 110], [100, -2, 2, 4]),
        (range(10**12, 10**12 + 5000), [10**12, -4999]),
    ],
)
def test_a_set_is_packed_and_comes_back(numbers: list[int], packed: list[int]) -> None:
    runs = runs_of(numbers)
    assert pack(runs) == packed
    assert unpack(packed) == runs
    assert [n for start, end in runs for n in range(start, end)] == list(numbers)


@pytest.mark.parametrize("packed", [[-1], [3, -1, -1], [3, 0], [3, -1, 0]])
def test_what_nobody_packs_is_refused(packed: list[int]) -> None:
    with pytest.raises(ValueError, match="run"):
        unpack(packed)


@pytest.mark.parametrize(
    ("runs", "union"),
    [
        ([], []),
        ([(5, 6), (1, 3)], [(1, 3), (5, 6)]),
        ([(1, 3), (3, 5)], [(1, 5)]),
        ([(1, 9), (2, 3), (8, 12)], [(1, 12)]),
    ],
)
def test_runs_are_joined(runs: list[tuple[int, int]], union: list[tuple[int, int]]) -> None:
    assert joined(runs) == union


def test_what_comes_before_is_cut_off() -> None:
    assert from_on([(1, 3), (5, 9), (11, 12)], 6) == [(6, 9), (11, 12)]


def test_the_ends_of_runs_are_known() -> None:
    runs = [(1, 3), (5, 6)]
    assert [n for n in range(8) if has(runs, n)] == [1, 2, 5]
    assert not has([], 0)
