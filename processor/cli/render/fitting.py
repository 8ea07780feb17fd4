"""Columns that fit a terminal: the least important go first, and what is too long ends in …"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from processor.cli.render.columns import GAP, pad


class Cell(NamedTuple):
    """Text of which the tail is never cut off: a unit, or a status."""

    text: str
    tail: str = ""


class Column(NamedTuple):
    """A column.

    ``least`` is as narrow as it may get, ``usual`` as wide as it should be, ``most`` as wide as
    it is of use.
    """

    head: str
    short_head: str
    least: int
    usual: int
    most: int
    right: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns there are, by number, and how wide; None cuts nothing."""

    columns: Sequence[Column]
    widths: dict[int, int]
    cuts: bool = True

    def heads(self) -> str:
        """The line above all others."""
        heads = [
            Cell(one.head if len(one.head) <= self.widths.get(number, 0) else one.short_head)
            for number, one in enumerate(self.columns)
        ]
        return line(self.cells(heads))

    def cells(self, row: Sequence[Cell]) -> dict[int, str]:
        """The cells of a row that are shown, padded, by the number of their column."""
        shown = {}
        for number, width in self.widths.items():
            text = cut(row[number], width) if self.cuts else "".join(row[number])
            shown[number] = pad(text, width, at_right=self.columns[number].right)
        return shown


def line(cells: dict[int, str]) -> str:
    """A row's cells as a line."""
    return GAP.join(cells.values()).rstrip()


def cut(cell: Cell, width: int) -> str:
    """The cell's text, no wider than that."""
    text, tail = cell
    if cell_len(text) + cell_len(tail) <= width:
        return text + tail
    if width <= cell_len(tail) + 1:
        return set_cell_size(text + tail, max(width - 1, 0)) + "…" * (width > 0)
    return set_cell_size(text, width - cell_len(tail) - 1) + "…" + tail


def unfitted(columns: Sequence[Column], shown: Sequence[int]) -> Shape:
    """The columns in their usual width; what is wider pushes the rest on."""
    return Shape(columns, {number: columns[number].usual for number in shown}, cuts=False)


def fitted(columns: Sequence[Column], layouts: Sequence[Sequence[int]], room: int) -> Shape:
    """As much as there is room for.

    Args:
        columns: the columns.
        layouts: which of them to show, the best choice first.
        room: how wide a line may be.
    """
    layout = next((one for one in layouts if _least(columns, one) <= room), layouts[-1])
    widths = {number: columns[number].least for number in layout}
    spare = max(room - _least(columns, layout), 0)
    for wanted in ("usual", "most"):
        for number in layout:
            more = min(spare, max(getattr(columns[number], wanted) - widths[number], 0))
            widths[number] += more
            spare -= more
    return Shape(columns, widths)


def _least(columns: Sequence[Column], layout: Sequence[int]) -> int:
    return sum(columns[number].least for number in layout) + len(GAP) * (len(layout) - 1)
