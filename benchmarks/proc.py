"""What Linux tells of a process: its CPU time, memory, descriptors, and who listens on a port."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_LISTENING = "0A"
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
# Docker's stands before a broker that is somewhere else.
_PROXY = "docker-proxy"


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, in its own code and in the kernel."""
    return cpu_ticks(Path(f"/proc/{pid}/stat").read_text()) / _TICKS_PER_S


def cpu_ticks(stat: str) -> int:
    """User and system time in ``/proc/PID/stat``; the name before them may have blanks."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def memory_bytes(pid: int, name: str = "VmRSS") -> int:
    """The resident set, or another size of ``/proc/PID/status``: VmHWM is the most it has been."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def broker_pid(servers: str) -> int | None:
    """The process that listens on the first bootstrap port; None if it is not to be seen here."""
    host, _, port = servers.split(",")[0].rpartition(":")
    if host not in _LOCAL_HOSTS:
        return None
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    sockets = {
        f"socket:[{inode}]"
        for table in tables
        if table.exists()
        for inode in listening_inodes(table.read_text(), int(port))
    }
    return next(_holders_of(sockets), None)


def listening_inodes(table: str, port: int) -> list[str]:
    """The inodes of the sockets that listen on a port, by ``/proc/net/tcp``."""
    rows = (line.split() for line in table.splitlines()[1:])
    return [
        row[9]
        for row in rows
        if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port
    ]


def _holders_of(sockets: set[str]) -> Iterator[int]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _has_one_of(process, sockets):
            yield int(process.name)


def _has_one_of(process: Path, sockets: set[str]) -> bool:
    try:
        held = any(_target(one) in sockets for one in (process / "fd").iterdir())
        return held and (process / "comm").read_text().strip() != _PROXY
    except OSError:  # it has ended, or is another user's
        return False


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:  # closed meanwhile, as a broker does all the time
        return ""
