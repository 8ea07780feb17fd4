"""Columns of text."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

Row = Sequence[str]
GAP = "  "


def columns(heads: Row, rows: Iterable[Row], *, right: Iterable[int] = ()) -> list[str]:
    """Lines of aligned columns, the heads first.

    Args:
        heads: the columns' names.
        rows: their cells, as many in each row.
        right: the columns that are aligned to the right, by index: numbers.
    """
    table = [heads, *rows]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    at_right = frozenset(right)
    return [_line(row, widths, at_right) for row in table]


def _line(row: Row, widths: Sequence[int], at_right: frozenset[int]) -> str:
    cells = [
        pad(cell, width, at_right=number in at_right)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return GAP.join(cells).rstrip()


def pad(cell: str, width: int, *, at_right: bool) -> str:
    """A cell as wide as its column."""
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if at_right else cell + blanks
