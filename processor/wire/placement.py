"""Placements: which life of an order id is meant, as ``stream:placed_seq``, never used twice."""

from typing import Annotated

from pydantic import StringConstraints

Placement = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}:[0-9]{1,19}$")]
"""The stream that placed the order, and the ``seq`` of the place."""


def split_placement(placement: Placement) -> tuple[int, int]:
    """The stream and the ``placed_seq`` of a placement that was validated."""
    stream, _, placed_seq = placement.partition(":")
    return int(stream), int(placed_seq)
