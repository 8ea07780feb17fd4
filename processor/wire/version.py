"""The version of the record shapes that this code reads and writes."""

from typing import Final, Literal

Schema = Literal[1]
SCHEMA: Final[Schema] = 1
