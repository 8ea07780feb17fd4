"""``demo``: the example's lists, then a live table, and nothing left of it however it ends."""

import re
import socket

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.integration.process import command
from tests.integration.terminal import CTRL_C, Terminal, terminal
from tests.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("embedded_bootstrap")]

_LISTS = [
    "order1",
    "order1, order2",
    "order1, order2, order3",
    "order1, order2, order3, order4",
    "order1, order2(paused), order3, order4",
    "order1, order2(paused), order3(paused), order4",
    "order1, order3(paused), order4",
    "order3(paused), order4",
]


def lists(shown: str) -> list[str]:
    """The lists that the example shows."""
    return re.findall(r"^   live    (.*)$", shown.replace("\r", ""), re.MULTILINE)


def broker_is_gone(shown: str) -> bool:
    """Whether nobody listens any more where the demo's Kafka did."""
    found = re.search(r"127\.0\.0\.1:(\d+), the embedded broker", shown)
    assert found, shown
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(found[1]))) != 0


def in_the_live_part(demo: Terminal) -> None:
    demo.wait_for("events/s")
    demo.wait_for("user-00")


def test_once_it_shows_the_list_after_each_step_and_leaves_nothing() -> None:
    done = command({}, "demo", "--once")
    assert (done.returncode, done.stderr) == (0, "")
    assert lists(done.stdout) == _LISTS
    assert done.stdout.count("answer  applied") == 8
    assert "events/s" not in done.stdout
    assert broker_is_gone(done.stdout)


def test_without_a_terminal_it_ends_after_the_example() -> None:
    done = command({}, "demo")
    assert (done.returncode, lists(done.stdout)) == (0, _LISTS)
    assert "events/s" not in done.stdout


def test_on_a_terminal_a_table_follows_the_example_until_ctrl_c() -> None:
    with terminal({}, "demo") as demo:
        in_the_live_part(demo)
        demo.type(CTRL_C)
        assert demo.wait() == 0
    assert [re.sub(r"\x1b\[\d*m", "", one) for one in lists(demo.shown)] == _LISTS
    assert "\x1b[32mplaced" in demo.shown
    assert "\x1b[?25h" in demo.shown  # the cursor is back
    assert "Traceback" not in demo.shown
    assert broker_is_gone(demo.shown)


@pytest.mark.parametrize("moment", ["Kafka ", "topics ", "processor ", "1. ", "8. ", "events/s"])
def test_ctrl_c_at_any_moment_leaves_neither_a_traceback_nor_a_broker(moment: str) -> None:
    with terminal({}, "demo") as demo:
        demo.wait_for(moment)
        demo.type(CTRL_C)
        # 0 in the live part: to end it so is what it says.
        assert demo.wait() in (0, 130)
    assert "Traceback" not in demo.shown
    assert broker_is_gone(demo.shown)


def test_an_impatient_second_ctrl_c_changes_nothing() -> None:
    with terminal({}, "demo") as demo:
        in_the_live_part(demo)
        demo.type(CTRL_C)
        demo.type(CTRL_C)
        assert demo.wait() == 0
    assert "Traceback" not in demo.shown
    assert broker_is_gone(demo.shown)


async def test_when_it_is_killed_its_broker_goes_too() -> None:
    with terminal({}, "demo") as demo:
        in_the_live_part(demo)
        assert not broker_is_gone(demo.shown)
    await eventually(lambda: broker_is_gone(demo.shown), what="the broker is gone")


def test_with_no_color_there_are_none() -> None:
    with terminal({"NO_COLOR": "1"}, "demo") as demo:
        demo.wait_for("placed")
        demo.type(CTRL_C)
        demo.wait()
    assert not re.search(r"\x1b\[3\dm", demo.shown)


async def test_on_a_kafka_of_ones_own_it_leaves_neither_topics_nor_a_group(bootstrap: str) -> None:
    done = command({"LIVE_ORDERS_BOOTSTRAP_SERVERS": bootstrap}, "demo", "--once")
    assert (done.returncode, lists(done.stdout)) == (0, _LISTS)
    found = re.search(r"^topics     (demo-\w+)\.\*, 4 streams$", done.stdout, re.MULTILINE)
    assert found
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topics = [name for name in await admin.list_topics() if name.startswith(found[1])]
        groups = [one for one in await admin.list_consumer_groups() if one[0] == found[1]]
    finally:
        await admin.close()
    assert (topics, groups) == ([], [])


def test_without_the_kafka_that_was_named_it_says_so() -> None:
    done = command({}, "demo", "--bootstrap-servers", "127.0.0.1:1")
    assert done.returncode == 3
    assert done.stderr.startswith("live-orders: no Kafka answers at 127.0.0.1:1: start it, or")
