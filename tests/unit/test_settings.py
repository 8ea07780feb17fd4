"""Settings: where they come from, what fits together, and what is said when it does not."""

import errno
import os
from pathlib import Path

import pytest

from processor.errors import UsageError
from processor.settings import Settings, load_settings, unknown_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the variables nor the .env of whoever runs the tests count."""
    for name in list(os.environ):
        if name.upper().startswith("LIVE_ORDERS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_those_of_the_design() -> None:
    settings = load_settings()
    assert settings.bootstrap_servers == "127.0.0.1:9092"
    assert (settings.app_id, settings.topic_prefix) == ("live-orders", "orders.")
    assert (settings.commit_interval_ms, settings.max_batch_events) == (10, 20_000)
    assert settings.max_event_bytes == 65_536
    assert (settings.snapshot_interval_ms, settings.snapshot_max_age_ms) == (1000, 600_000)


def test_flags_win_over_the_environment_and_that_over_the_env_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("LIVE_ORDERS_APP_ID=file\nLIVE_ORDERS_TOPIC_PREFIX=file.\n")
    monkeypatch.setenv("LIVE_ORDERS_APP_ID", "environment")
    monkeypatch.setenv("LIVE_ORDERS_BOOTSTRAP_SERVERS", "environment:1")
    settings = load_settings(bootstrap_servers="flag:1")
    assert settings.bootstrap_servers == "flag:1"
    assert settings.app_id == "environment"
    assert settings.topic_prefix == "file."


def test_a_flag_that_was_not_given_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE_ORDERS_APP_ID", "environment")
    assert load_settings(app_id=None).app_id == "environment"


def test_other_lines_of_an_env_file_do_not_matter() -> None:
    Path(".env").write_text("OTHER=1\nLIVE_ORDERS_TEST_BOOTSTRAP=x\n")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("COMMIT_INTERVAL_MS", "soon", "must be a whole number"),
        ("COMMIT_INTERVAL_MS", "0", "must be greater than 0"),
        ("COMMIT_INTERVAL_MS", "-5", "must be greater than 0"),
        ("COMMIT_INTERVAL_MS", "1.5", "must be a whole number"),
        ("MAX_BATCH_EVENTS", "0", "must be greater than 0"),
        ("MAX_EVENT_BYTES", "900001", "must be at most 900000"),
        ("APP_ID", "", "must be 1 to 100 of the characters A-Z a-z 0-9 . _ -"),
        ("APP_ID", "a b", "must be 1 to 100 of the characters A-Z a-z 0-9 . _ -"),
        ("APP_ID", "a\n", "must be 1 to 100 of the characters A-Z a-z 0-9 . _ -"),
        ("TOPIC_PREFIX", "orders/", "must be 1 to 100 of the characters A-Z a-z 0-9 . _ -"),
        ("TOPIC_PREFIX", "x" * 101, "must be 1 to 100 of the characters A-Z a-z 0-9 . _ -"),
        ("BOOTSTRAP_SERVERS", "", "must not be empty"),
        ("ACCEPT_LOST_EVENTS", "maybe", "must be true or false"),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(f"LIVE_ORDERS_{name}", value)
    with pytest.raises(UsageError) as caught:
        load_settings()
    assert str(caught.value) == f"setting {name.lower()} (LIVE_ORDERS_{name}): {problem}"


def test_a_wrong_flag_is_told_as_the_setting_it_is() -> None:
    with pytest.raises(UsageError, match=r"^setting app_id \(LIVE_ORDERS_APP_ID\): must be 1 to"):
        load_settings(app_id="a b")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (
            "LIVE_ORDERS_TOPIC_PREFX",
            [
                "Unknown setting LIVE_ORDERS_TOPIC_PREFX is ignored; "
                "did you mean LIVE_ORDERS_TOPIC_PREFIX?"
            ],
        ),
        (
            "LIVE_ORDERS_" + "Q" * 60,
            ["Unknown setting LIVE_ORDERS_" + "Q" * 60 + " is ignored"],
        ),
        ("LIVE_ORDERS_APP_ID", []),
        ("LIVE_ORDERS_TEST_BOOTSTRAP", []),
        ("OTHER_APP_ID", []),
    ],
)
def test_a_variable_that_looks_like_a_setting_and_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, said: list[str]
) -> None:
    monkeypatch.setenv(variable, "x")
    assert unknown_settings() == said


def test_a_name_in_the_env_file_that_looks_like_a_setting_and_is_none_is_told_too() -> None:
    Path(".env").write_text(
        "# LIVE_ORDERS_COMMENT=1\nLIVE_ORDERS_APP_ID=a\n export LIVE_ORDERS_APP_IDD = b\nOTHER=1\n"
    )
    assert unknown_settings() == [
        "Unknown setting LIVE_ORDERS_APP_IDD is ignored; did you mean LIVE_ORDERS_APP_ID?"
    ]


def test_an_env_file_that_is_no_text_is_one_sentence() -> None:
    Path(".env").write_bytes(b"\xff\xfe")
    for read in (load_settings, unknown_settings):
        with pytest.raises(UsageError, match=r"^\.env in .* cannot be read: it is not UTF-8$"):
            read()


def test_an_env_file_that_may_not_be_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    Path(".env").touch()
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UsageError, match=r"^\.env in .* cannot be read: Permission denied$"):
        load_settings()


def test_a_folder_of_that_name_does_not_matter() -> None:
    Path(".env").mkdir()
    assert load_settings() == Settings()
    assert unknown_settings() == []


RELATIONS = [
    ("commit_interval_ms", "transaction_timeout_ms", 2),
    ("heartbeat_interval_ms", "session_timeout_ms", 3),
    ("session_timeout_ms", "rebalance_timeout_ms", 1),
    ("snapshot_interval_ms", "snapshot_max_age_ms", 2),
]


def bounds_of(lesser: str, greater: str, factor: int) -> dict[str, int]:
    """The two settings just fitting together, and what else then must fit."""
    fitting = {lesser: 12_000, greater: 12_000 * factor}
    if greater == "session_timeout_ms":
        fitting["rebalance_timeout_ms"] = fitting[greater]
    return fitting


@pytest.mark.parametrize(("lesser", "greater", "factor"), RELATIONS)
def test_settings_that_just_fit_together_are_taken(lesser: str, greater: str, factor: int) -> None:
    fitting = bounds_of(lesser, greater, factor)
    settings = load_settings(**fitting)
    assert {name: getattr(settings, name) for name in fitting} == fitting


@pytest.mark.parametrize(("lesser", "greater", "factor"), RELATIONS)
def test_settings_that_do_not_fit_together_are_one_sentence_with_both_names(
    lesser: str, greater: str, factor: int
) -> None:
    fitting = bounds_of(lesser, greater, factor)
    times = f"{factor} times " if factor > 1 else ""
    with pytest.raises(UsageError) as caught:
        load_settings(**fitting | {greater: fitting[greater] - 1})
    least = fitting[greater]
    assert str(caught.value) == (
        f"settings: {greater} is {least - 1}, but must be at least {least}: {times}{lesser}, which "
        f"is {fitting[lesser]}; raise the one or lower the other"
    )


@pytest.mark.parametrize("wait", ["reorder_window_ms", "reorder_idle_ms"])
def test_a_command_by_id_alone_waits_longer_than_a_place_waits_for_its_time(wait: str) -> None:
    both = {"reorder_window_ms": 100, "reorder_idle_ms": 100, wait: 4_500}
    with pytest.raises(UsageError) as caught:
        load_settings(**both)
    assert str(caught.value) == (
        f"settings: routing_grace_ms is 5000, but must be at least 5500: {wait}, which is 4500, "
        "and 1000 more; raise the one or lower the other"
    )
    assert load_settings(**both, routing_grace_ms=5_500).routing_grace_ms == 5_500
    assert load_settings(**both | {"reorder_window_ms": 0}).routing_grace_ms == 5_000


@pytest.mark.parametrize("name", ["DIRECTORY", "OFFSET_REFRESH_INTERVAL_MS"])
def test_a_setting_that_there_was_once_is_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"LIVE_ORDERS_{name}", "1")
    assert unknown_settings() == [f"Unknown setting LIVE_ORDERS_{name} is ignored"]


@pytest.mark.parametrize("name", ["reorder_window_ms", "routing_grace_ms", "request_timeout_ms"])
def test_a_time_without_an_end_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"setting {name} .*: must be at most [0-9]+$"):
        load_settings(**{name: 99_999_999_999_999})


@pytest.mark.parametrize(
    "servers", ["a:1,b:2", "kafka", "[::1]:9092", "10.0.0.1:65535", "a:1, b:2"]
)
def test_addresses_of_servers_are_taken(servers: str) -> None:
    assert load_settings(bootstrap_servers=servers).bootstrap_servers == servers.replace(" ", "")


@pytest.mark.parametrize("servers", ["", "a:", "a:b", "a:0", "a:65536", "a b:1", "a:1,", "\x1b:1"])
def test_what_is_no_address_is_refused(servers: str) -> None:
    with pytest.raises(UsageError, match="must"):
        load_settings(bootstrap_servers=servers)
