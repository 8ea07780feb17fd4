"""Settings that are given under a name that is none."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from processor.cli.terminal.output import say
from processor.settings import unknown_settings

Given = ParamSpec("Given")
Result = TypeVar("Result")


def name_misspelt() -> None:
    """Say on standard error what looks like a setting and is none."""
    for sentence in unknown_settings():
        say(f"live-orders: {sentence}")


def naming_misspelt(command: Callable[Given, Result]) -> Callable[Given, Result]:
    """A command that says it first."""

    @functools.wraps(command)
    def named(*arguments: Given.args, **options: Given.kwargs) -> Result:
        name_misspelt()
        return command(*arguments, **options)

    return named
