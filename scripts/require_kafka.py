"""A pytest plugin for CI (`-p require_kafka`): skipping a test marked `kafka` fails it."""

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    is_xfail = hasattr(report, "wasxfail")
    if report.skipped and not is_xfail and item.get_closest_marker("kafka"):
        report.outcome = "failed"
        report.longrepr = f"LIVE_ORDERS_REQUIRE_KAFKA is set; this was skipped: {report.longrepr}"
    return report
