"""The fuzzer behind ``scripts/fuzz``: libFuzzer's bytes, a record a line, into `judge`."""

import sys

import atheris

_READING = ["processor.wire", "processor.core", "processor.task", "tests.naive_event"]
_MAX_RECORDS = 8

with atheris.instrument_imports(include=_READING, exclude=["processor.cli"]):
    from tests.broken_input import judge


def _one_input(data: bytes) -> None:
    # A line with nothing in it is a record without a value.
    judge([line or None for line in data.split(b"\n", _MAX_RECORDS - 1)])


atheris.Setup(sys.argv, _one_input)
atheris.Fuzz()
