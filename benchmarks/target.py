"""What is measured."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Target(NamedTuple):
    """A processor on a Kafka.

    ``tree`` is the folder that has the package ``processor``: another one than ours is measured
    with our loads and readers.
    """

    servers: str
    tree: Path = ROOT
