"""The built package: what is in it, and that it lives beside any project of a user's."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = version("live-orders")
# Folders of this repository, and names that a user's project may well have.
NOT_INSTALLED = ("schemas", "tests", "scripts", "benchmarks", "broker")

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """What a command says, without anything of this repository in its environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("LIVE_ORDERS_")
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, "LIVE_ORDERS_BUILD_BROKER": "0", "LIVE_ORDERS_CONNECT_TIMEOUT_MS": "500"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


class Built(NamedTuple):
    """The source distribution, and the wheel that was built from it."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both, as an installer makes them of a source distribution."""
    made = tmp_path_factory.mktemp("built")
    hatchling = (sys.executable, "-m", "hatchling", "build", "--directory", made)
    run(*hatchling, "--target", "sdist", cwd=ROOT)
    (sdist,) = made.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(made, filter="data")
    run(*hatchling, "--target", "wheel", cwd=made / sdist.name.removesuffix(".tar.gz"))
    (wheel,) = made.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, and the dependencies that the tests have."""
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", built.wheel, cwd=environment)
    # Only the folder: this repository, which is installed there as editable, is not found by it.
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with packages of its own that have common names."""
    for name in NOT_INSTALLED:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('MINE = "of the user"\n')
    (tmp_path / "main.py").write_text(MAIN)
    return tmp_path


MAIN = """
import benchmarks
import broker
import schemas
import scripts
import tests

import processor
from processor import CryptoOrderSystem
from processor.wire.answer import Answer, parse_answer
from processor.wire.event import Event, Refusal, parse_event
from processor.wire.live_order import LiveOrder, parse_live_order
from processor.wire.snapshot import SnapshotBegin, SnapshotChunk, SnapshotEnd


def reason(value: bytes) -> str:
    event: Event | Refusal = parse_event(value)
    return event.detail if isinstance(event, Refusal) else event["type"]


system = CryptoOrderSystem(2)
system.place("order1", "alice", "BTC", "1.50", 50_000)
paused: bool = system.pause("order1")
assert paused
assert reason(b'{"type":"pause","order_id":"order1"}') == "pause"
assert reason(b"{}") == "type: is missing"
for package in (benchmarks, broker, schemas, scripts, tests):
    assert package.MINE == "of the user"
print(processor.__file__)
"""


def test_nothing_is_installed_but_the_program(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"processor", f"live_orders-{VERSION}.dist-info"}
    assert "processor/py.typed" in names


def test_the_source_distribution_has_the_contract_and_the_types(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "broker/NOTICE",
        "hatch_build.py",
        "processor/py.typed",
    }
    contract = {str(path.relative_to(ROOT)) for path in (ROOT / "schemas").rglob("*.*")}
    assert len(contract) > 40
    assert names >= contract


def test_an_index_would_take_both(built: Built) -> None:
    said = run(sys.executable, "-m", "twine", "check", "--strict", *built, cwd=built.wheel.parent)
    assert said.count("PASSED") == 2


def test_a_users_program_has_its_own_packages_and_ours(python: Path, project: Path) -> None:
    where = run(python, "main.py", cwd=project).strip()
    assert Path(where).is_relative_to(python.parents[1])


@pytest.mark.parametrize("name", NOT_INSTALLED)
def test_no_package_of_a_common_name_is_installed(name: str, python: Path, tmp_path: Path) -> None:
    said = run(python, "-c", f"import {name}", cwd=tmp_path, code=1)
    assert f"No module named '{name}'" in said


def test_the_command_line_runs_beside_a_users_packages(python: Path, project: Path) -> None:
    command = python.with_name("live-orders")
    assert run(command, "--version", cwd=project).split()[-1] == VERSION
    assert "dead-letters" in run(command, "--help", cwd=project)
    # Nobody listens there: all that it needs to find that out is installed.
    said = run(command, "list", "--bootstrap-servers", "127.0.0.1:1", cwd=project, code=3)
    assert "127.0.0.1:1" in said


def test_a_users_program_is_checked_against_the_installed_types(
    python: Path, project: Path
) -> None:
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable")
    assert "Success" in run(*mypy, python, "main.py", cwd=project)
    wrong = 'CryptoOrderSystem("2")\nreason(parse_answer(b"{}"))\nparse_live_order(b"")["colour"]\n'
    (project / "main.py").write_text(MAIN + wrong)
    said = run(*mypy, python, "main.py", cwd=project, code=1)
    assert "Found 3 errors" in said
