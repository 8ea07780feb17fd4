"""A pytest plugin for scripts/test (`-p note_skipped`): writes down which tests needed what was not
there, one line each, at the end of the file that LIVE_ORDERS_TEST_SKIPPED names."""

import os
from pathlib import Path

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test that was skipped says why in words that begin with "needs"."""
    if not report.skipped or not isinstance(report.longrepr, tuple):
        return
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if reason.startswith("needs "):
        with Path(os.environ["LIVE_ORDERS_TEST_SKIPPED"]).open("a") as notes:
            notes.write(f"{report.nodeid.partition('::')[0]}: {reason}\n")
