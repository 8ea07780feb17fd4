"""Dead letters are looked at, mended and put back: each once, whoever is killed."""

import json
import os
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from processor.core.sharding import stream_of
from tests.builders import encode, place_fields
from tests.embedded import run_broker
from tests.integration.cluster import Cluster
from tests.integration.conftest import NewCluster
from tests.integration.process import COMMAND, ROOT, command, processor
from tests.integration.terminal import CTRL_C, terminal
from tests.letters import letter_record

pytestmark = pytest.mark.kafka

_STREAMS = 3
_USER = "alice"
_STREAM = stream_of(_USER, _STREAMS)
_BAD = encode(**place_fields("o1", _USER, amount="-1"))


async def refused(new_cluster: NewCluster, log: Path, *values: bytes | None) -> Cluster:
    """A cluster whose processor has refused these values of a user, each a letter."""
    cluster = await new_cluster(_STREAMS)
    await cluster.send([(_USER, value) for value in values])
    await processed(cluster, log)
    return cluster


async def processed(cluster: Cluster, log: Path) -> None:
    """Wait until a processor has answered all events."""
    with processor(cluster.environment, log):
        await cluster.drained()


async def with_letters(new_cluster: NewCluster, count: int) -> Cluster:
    """A cluster with so many letters, of which no processor knows."""
    cluster = await new_cluster(_STREAMS)
    async with AIOKafkaProducer(bootstrap_servers=cluster.servers) as producer:
        for number in range(count):
            record = letter_record(b"letter %d" % number, key=b"user-%d" % (number % 50))
            await producer.send(
                cluster.topics.dead_letters,
                record.value,
                key=record.key,
                headers=list(record.headers),
                partition=number % _STREAMS,
            )
        await producer.flush()
    return cluster


def dead_letters(
    cluster: Cluster, *arguments: str, code: int = 0, editor: str | None = None
) -> tuple[list[str], str]:
    environment = {**cluster.environment, "VISUAL": editor or "", "EDITOR": ""}
    done = command(environment, "dead-letters", *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines(), done.stderr


async def put_back(cluster: Cluster) -> Counter[str]:
    """How often each letter is among the events."""
    events = [one for part in await cluster.read(cluster.topics.events) for one in part]
    marks = [dict(one.headers).get("replay.of") for one in events]
    return Counter(mark.decode() for mark in marks if mark is not None)


async def test_a_letter_goes_back_once_until_it_is_asked_for_again(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await refused(new_cluster, tmp_path / "log", _BAD)
    letter = f"{_STREAM}/0"
    shown, said = dead_letters(cluster, "replay", "--dry-run")
    still = "(still invalid: amount: must be greater than 0)"
    assert shown == [f"{letter} -> {_STREAM}/... {still}"]
    assert said == "1 letter would be put back; 1 will be refused again: --edit mends them\n"
    (planned,) = dead_letters(cluster, "replay", "--dry-run", "--json")[0]
    assert json.loads(planned) == {
        "letter": {"partition": _STREAM, "offset": 0},
        "event": {"topic": cluster.topics.events, "partition": _STREAM},
        "problem": "invalid: amount: must be greater than 0",
    }
    assert await put_back(cluster) == {}
    shown, said = dead_letters(cluster, "replay", "--where", "reason=invalid")
    assert shown == [f"{letter} -> {_STREAM}/1 {still}"]
    assert said.startswith("1 letter put back; 1 will be refused again: --edit mends them\n")
    event = (await cluster.read(cluster.topics.events))[_STREAM][-1]
    assert (event.key, event.value) == (_USER.encode(), _BAD)
    assert event.headers == (("replay.of", letter.encode()),)
    before = "0 letters put back, 1 left out (put back before: --again)\n"
    assert dead_letters(cluster, "replay") == ([], before)
    assert dead_letters(cluster, "replay", "--where", "replayed=yes") == ([], before)
    shown, said = dead_letters(cluster, "replay", letter)
    assert "was put back already" in said
    assert await put_back(cluster) == {letter: 1}
    shown, _ = dead_letters(cluster, "replay", "--again", "--json", letter)
    assert json.loads(shown[0])["letter"] == {"partition": _STREAM, "offset": 0}
    assert await put_back(cluster) == {letter: 2}


async def test_list_and_show_tell_what_was_put_back_and_notes_are_no_letters(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await refused(new_cluster, tmp_path / "log", _BAD, b"{\x1b[31m\xff")
    dead_letters(cluster, "replay", f"{_STREAM}/0")
    (line,) = dead_letters(cluster, "list", "--where", "replayed=yes")[0]
    assert f"(put back as {_STREAM}/2)" in line
    (line,) = dead_letters(cluster, "list", "--where", f"source={_STREAM}/1")[0]
    assert line.startswith(f"{_STREAM}/1 ")
    assert len(dead_letters(cluster, "list")[0]) == 2
    shown, _ = dead_letters(cluster, "show", f"{_STREAM}/0")
    assert '  "amount": "-1",' in shown
    assert any(
        line.startswith(f"put back    as {cluster.topics.events} {_STREAM}/2") for line in shown
    )
    shown, _ = dead_letters(cluster, "show", f"{_STREAM}/1")
    assert "00000000  7b 1b 5b 33 31 6d ff" in "\n".join(shown)
    (line,) = dead_letters(cluster, "show", "--json", f"{_STREAM}/0")[0]
    assert json.loads(line)["replays"][0]["event"] == {"partition": _STREAM, "offset": 2}
    with terminal(cluster.environment, "dead-letters", "show", f"{_STREAM}/1") as seen:
        assert seen.wait() == 0
    assert "\x1b[31m" not in seen.shown
    # The note stands at the next offset but the transaction's marker.
    assert "there is no dead letter" in dead_letters(cluster, "show", f"{_STREAM}/2", code=2)[1]
    # A processor goes on over notes, and refuses the event again.
    await processed(cluster, tmp_path / "again")
    assert len(dead_letters(cluster, "list")[0]) == 3


async def test_a_mended_letter_becomes_an_event_that_applies(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    other = encode(**place_fields("o2", _USER, amount="0"))
    cluster = await refused(new_cluster, tmp_path / "log", _BAD, other, b"\xff")
    shown, said = dead_letters(cluster, "replay", "--edit", editor="sed -i s/-1/1.50/")
    assert shown == [f"{_STREAM}/0 -> {_STREAM}/3"]
    assert f"{_STREAM}/1 is as it was" in said
    assert f"{_STREAM}/2 cannot be edited" in said
    assert "1 letter put back, 2 left out" in said
    await processed(cluster, tmp_path / "again")
    answers = command(cluster.environment, "results").stdout.splitlines()
    assert f"{_STREAM}/3 place o1 of alice: applied" in answers
    # On one line, not as the editor showed it.
    event = (await cluster.read(cluster.topics.events))[_STREAM][3]
    assert event.value == _BAD.replace(b"-1", b"1.50").replace(b" ", b"")
    assert any(line.endswith(f"--where source={_STREAM}/1") for line in answers)


async def test_what_is_still_no_event_after_editing_is_not_sent(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await refused(new_cluster, tmp_path / "log", _BAD)
    _, said = dead_letters(cluster, "replay", "--edit", editor="sed -i s/-1/-2/", code=2)
    assert "still invalid: amount: must be greater than 0; nothing was put back" in said
    _, folder = said.strip().split("; what was edited is kept in ")
    assert b'"-2"' in Path(folder, f"letter-{_STREAM}-0.json").read_bytes()
    _, said = dead_letters(cluster, "replay", "--edit", editor="sed -i d")
    assert "nothing was mended, so nothing was put back" in said
    _, said = dead_letters(cluster, "replay", "--edit", editor="rm")
    assert "nothing was mended, so nothing was put back" in said
    note = f's/}}/, "event_id": "{"e" * 70_000}"}}/'
    _, said = dead_letters(cluster, "replay", "--edit", editor=f"sed -i '{note}'", code=2)
    assert "still too_large: " in said
    _, said = dead_letters(cluster, "replay", "--edit", editor="false", code=2)
    assert "the editor false ended with exit code 1" in said
    _, said = dead_letters(cluster, "replay", "--edit", code=2)
    assert said.startswith("live-orders: --edit needs an editor: set VISUAL or EDITOR")
    assert await put_back(cluster) == {}


async def test_on_a_terminal_the_editor_comes_again_with_what_is_still_wrong(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await refused(new_cluster, tmp_path / "log", _BAD)
    editor = tmp_path / "editor"
    editor.write_text(
        f'#!/bin/sh\nhead -n 1 "$1" >> {tmp_path}/heads\n'
        'if grep -q still "$1"; then sed -i s/-2/3/ "$1"; else sed -i s/-1/-2/ "$1"; fi\n'
    )
    editor.chmod(0o755)
    environment = {**cluster.environment, "VISUAL": str(editor)}
    with terminal(environment, "dead-letters", "replay", "--edit") as editing:
        assert editing.wait() == 0
    assert f"{_STREAM}/0 -> {_STREAM}/1" in editing.shown
    assert (tmp_path / "heads").read_text().splitlines() == [
        f"# {_STREAM}/0: invalid: amount: must be greater than 0",
        f"# {_STREAM}/0: still invalid: amount: must be greater than 0",
    ]


async def test_on_a_terminal_what_is_given_up_is_left_out_and_kept(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await refused(new_cluster, tmp_path / "log", _BAD)
    environment = {**cluster.environment, "VISUAL": "sed -i s/-1/-2/", "TMPDIR": str(tmp_path)}
    with terminal(environment, "dead-letters", "replay", "--edit") as editing:
        assert editing.wait() == 0
    still = f"{_STREAM}/0 is still invalid: amount: must be greater than 0; it is left out"
    assert still in editing.shown
    kept = next(tmp_path.glob("live-orders-edited-*"))
    assert str(kept) in editing.shown
    assert b'"-2"' in (kept / f"letter-{_STREAM}-0.json").read_bytes()
    assert await put_back(cluster) == {}


async def test_ctrl_c_in_the_editor_is_no_fault_of_it(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await refused(new_cluster, tmp_path / "log", _BAD)
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho editing\nexec sleep 60\n")
    editor.chmod(0o755)
    environment = {**cluster.environment, "VISUAL": str(editor)}
    with terminal(environment, "dead-letters", "replay", "--edit") as editing:
        editing.wait_for("editing")
        editing.type(CTRL_C)
        assert editing.wait() == 130
    assert "interrupted in the editor, so nothing was put back" in editing.shown
    assert await put_back(cluster) == {}


async def test_a_letter_that_was_cut_goes_back_only_when_it_was_mended(
    new_cluster: NewCluster, tmp_path: Path
) -> None:
    cluster = await new_cluster(_STREAMS)
    cut = letter_record(b"x" * 2_000, key=_USER.encode(), max_bytes=1_500)
    async with AIOKafkaProducer(bootstrap_servers=cluster.servers) as producer:
        await producer.send_and_wait(
            cluster.topics.dead_letters, cut.value, headers=list(cut.headers), partition=0
        )
    _, said = dead_letters(cluster, "replay", "0/0", code=2)
    assert "0/0 was cut when it was written" in said
    _, said = dead_letters(cluster, "replay")
    assert "0/0 was cut when it was written" in said
    assert "0 letters put back, 1 left out" in said
    mended = tmp_path / "mended"
    mended.write_bytes(encode(**place_fields("o1", _USER)))
    shown, _ = dead_letters(cluster, "replay", "0/0", "--edit", editor=f"cp {mended}")
    assert shown == [f"0/0 -> {_STREAM}/0"]
    event = (await cluster.read(cluster.topics.events))[_STREAM][0]
    assert event.key == _USER.encode()


async def test_wrong_use_is_one_sentence(new_cluster: NewCluster) -> None:
    cluster = await new_cluster(1)
    for arguments, sentence in (
        (("list", "--where", "rason=invalid"), "did you mean reason?"),
        (("replay", "--where", "reason=bad"), "must be one of malformed, invalid, too_large"),
        (("show", "x"), "'x' is not PARTITION/OFFSET"),
        (("show", "0/7"), "there is no dead letter 0/7"),
        (("replay", "5/7"), "there is no dead letter 5/7"),
    ):
        _, said = dead_letters(cluster, *arguments, code=2)
        assert said.startswith("live-orders: ")
        assert sentence in said
        assert said.count("\n") == 1


def begun(cluster: Cluster) -> subprocess.Popen[bytes]:
    """A replay that has put back some letters, but cannot end: nobody reads on what it prints."""
    running = subprocess.Popen(
        [*COMMAND, "dead-letters", "replay"],
        cwd=ROOT,
        env={**os.environ, **cluster.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert b" -> " in running.stdout.readline()
    return running


async def test_a_replay_that_is_killed_goes_on_and_puts_each_letter_back_once(
    new_cluster: NewCluster,
) -> None:
    cluster = await with_letters(new_cluster, 5_000)
    for _ in range(2):
        with begun(cluster) as running:
            running.kill()
    assert 0 < len(await put_back(cluster)) < 5_000
    dead_letters(cluster, "replay")
    done = await put_back(cluster)
    assert len(done) == 5_000
    assert set(done.values()) == {1}
    _, said = dead_letters(cluster, "replay")
    assert said == "0 letters put back, 5,000 left out (put back before: --again)\n"


async def test_a_second_replay_cuts_the_first_off_and_no_letter_goes_back_twice(
    new_cluster: NewCluster,
) -> None:
    cluster = await with_letters(new_cluster, 5_000)
    with begun(cluster) as first:
        dead_letters(replace(cluster, app_id="another", prefix=cluster.topics.prefix), "replay")
        done = await put_back(cluster)
        _, said = first.communicate()
    assert first.returncode == 3
    assert said.startswith(b"live-orders: another replay of these topics has begun")
    assert said.count(b"\n") == 1
    assert len(done) == 5_000
    assert set(done.values()) == {1}
    assert await put_back(cluster) == done


async def test_what_was_edited_is_kept_when_kafka_is_gone(
    embedded_bootstrap: str, tmp_path: Path
) -> None:
    ready, go_on, editor = tmp_path / "ready", tmp_path / "go-on", tmp_path / "editor"
    os.mkfifo(ready)
    os.mkfifo(go_on)
    mend = 'sed -i s/-1/1.50/ "$1"'
    editor.write_text(f"#!/bin/sh\n{mend}\necho edited > {ready}\ncat {go_on}\n")
    editor.chmod(0o755)
    with run_broker("--port=0") as broker:
        cluster = Cluster(broker.servers, 1)
        await cluster.create()
        letter = letter_record(_BAD, key=_USER.encode())
        async with AIOKafkaProducer(bootstrap_servers=broker.servers) as producer:
            await producer.send_and_wait(
                cluster.topics.dead_letters, letter.value, headers=list(letter.headers)
            )
        names = {"VISUAL": str(editor), "TMPDIR": str(tmp_path)}
        with subprocess.Popen(
            [*COMMAND, "dead-letters", "replay", "--edit"],
            cwd=ROOT,
            env={**os.environ, **cluster.environment, **names},
            stderr=subprocess.PIPE,
        ) as running:
            ready.read_text()
            broker.end()
            go_on.write_text("")
            _, said = running.communicate()
    assert running.returncode == 3
    sentence, folder = said.decode().strip().split("; what was edited is kept in ")
    assert "no Kafka answers" in sentence
    assert b'"1.50"' in Path(folder, "letter-0-0.json").read_bytes()
