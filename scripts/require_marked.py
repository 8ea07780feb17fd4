"""A pytest plugin for scripts/test (`-p require_marked`): where LIVE_ORDERS_REQUIRE_KAFKA or
LIVE_ORDERS_REQUIRE_DOCKER is set, skipping a test with that marker fails it."""

import os
from collections.abc import Generator

import pytest

_REQUIRED = [
    (marker, name)
    for marker, name in (
        ("kafka", "LIVE_ORDERS_REQUIRE_KAFKA"),
        ("docker", "LIVE_ORDERS_REQUIRE_DOCKER"),
    )
    if os.environ.get(name, "0") != "0"
]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        for marker, name in _REQUIRED:
            if item.get_closest_marker(marker):
                report.outcome = "failed"
                report.longrepr = f"{name} is set; this was skipped: {report.longrepr}"
    return report
