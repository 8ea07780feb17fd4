"""Wrong use and a broker that is not there: one sentence, an exit code, no traceback."""

import pytest

from tests.integration.process import command
from tests.integration.terminal import CTRL_C, terminal

_NOWHERE = {"LIVE_ORDERS_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
_QUICKLY = {**_NOWHERE, "LIVE_ORDERS_CONNECT_TIMEOUT_MS": "300"}
_COMMANDS = [
    ("run",),
    ("produce",),
    ("list",),
    ("watch",),
    ("results",),
    ("dead-letters", "list"),
    ("dead-letters", "show", "0/0"),
    ("dead-letters", "replay"),
    ("topics", "check"),
    ("topics", "create", "--streams", "1"),
]


@pytest.mark.parametrize("arguments", _COMMANDS)
def test_no_broker_is_one_sentence_with_its_address(arguments: tuple[str, ...]) -> None:
    refused = command(_QUICKLY, *arguments)
    assert refused.returncode == 3
    assert refused.stdout == ""
    assert refused.stderr.startswith("live-orders: no Kafka answers at 127.0.0.1:1: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [*_COMMANDS, ("market",), ("demo",)])
def test_a_misspelt_setting_is_named_once_on_standard_error(arguments: tuple[str, ...]) -> None:
    refused = command({**_QUICKLY, "LIVE_ORDERS_TOPIC_PREFX": "x."}, *arguments)
    said = (
        "Unknown setting LIVE_ORDERS_TOPIC_PREFX is ignored; did you mean LIVE_ORDERS_TOPIC_PREFIX?"
    )
    assert refused.returncode == 3
    assert refused.stderr.count(said) == 1
    assert said in refused.stderr.splitlines()[0]
    assert said not in refused.stdout


@pytest.mark.parametrize("arguments", _COMMANDS)
def test_every_command_has_help_with_an_option_a_line(arguments: tuple[str, ...]) -> None:
    shown = command({}, *arguments, "--help")
    assert shown.returncode == 0
    assert "--bootstrap-servers SERVERS" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lst",), "no such command 'lst'. Did you mean 'list'? See: live-orders --help\n"),
        (("list", "--usr", "u"), "no such option: --usr"),
        (("list", "--stream", "x"), "invalid value for '--stream'"),
        (("topics", "create"), "missing option '--streams'"),
        (("dead-letters", "list", "--where", "x=1"), "the names are reason, detail, source, "),
        (("dead-letters", "show", "1"), "'1' is not PARTITION/OFFSET, such as 6/0"),
        (("dead-letters", "show"), "missing argument 'LETTER'"),
        (("produce", "--rate", "0"), "invalid value for '--rate'"),
        (("produce", "no\x1bfile"), "no\\x1bfile: No such file or directory"),
        (("list", "--bootstrap-servers", "here:there"), "must be host:port"),
        (("run", "--commit-interval-ms", "0"), "must be greater than 0"),
        (("run", "--session-timeout-ms", "2000"), "at least 3000: 3 times heartbeat_interval_ms"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...], sentence: str
) -> None:
    refused = command({}, *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("live-orders: ")
    assert sentence in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_without_a_command_it_shows_the_help() -> None:
    shown = command({})
    assert shown.returncode == 2
    assert shown.stderr.startswith("Usage: live-orders ")


def test_the_wait_for_a_broker_is_shown_on_a_terminal_and_leaves_only_the_sentence() -> None:
    with terminal({**_NOWHERE, "LIVE_ORDERS_CONNECT_TIMEOUT_MS": "1500"}, "list") as waiting:
        waiting.wait_for("waiting for Kafka at 127.0.0.1:1")
        assert waiting.wait() == 3
    assert waiting.shown.endswith("or LIVE_ORDERS_BOOTSTRAP_SERVERS\r\n")
    assert waiting.shown.count("no Kafka answers") == 1


@pytest.mark.parametrize(("arguments", "code"), [(("list",), 130), (("run",), 0)])
def test_ctrl_c_during_the_wait_ends_it_without_a_traceback(
    arguments: tuple[str, ...], code: int
) -> None:
    with terminal({**_NOWHERE, "LIVE_ORDERS_CONNECT_TIMEOUT_MS": "60000"}, *arguments) as waiting:
        waiting.wait_for("waiting for Kafka")
        waiting.type(CTRL_C)
        assert waiting.wait() == code
    assert "Traceback" not in waiting.shown


@pytest.mark.parametrize(
    ("shell", "typed"), [("bash", "live-orders li"), ("zsh", "live-orders li")]
)
def test_the_shell_completes_commands(shell: str, typed: str) -> None:
    environment = {
        "_LIVE_ORDERS_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": typed,
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": typed,
    }
    assert "list" in command(environment).stdout


def test_the_version_is_printed() -> None:
    shown = command({}, "--version")
    assert (shown.returncode, shown.stdout.split()[0]) == (0, "live-orders")
