"""Which process holds a port, as far as /proc lets this user see."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TABLES: Final = ("net/tcp", "net/tcp6")
_LISTEN: Final = "0A"
MOST: Final = 20_000


def holder(port: int, proc: Path = _PROC) -> str:
    """`name (pid N)`; empty where it cannot be told."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    if not wanted:
        return ""
    for number, (process, link) in enumerate(_links(proc)):
        if number > MOST:
            break
        if link in wanted:
            return f"{_name(process)} (pid {process.name})"
    return ""


def _inodes(port: int, proc: Path) -> Iterator[str]:
    """Of the sockets that listen on this port, on whichever address."""
    for table in _TABLES:
        with suppress(OSError):
            for line in (proc / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _links(proc: Path) -> Iterator[tuple[Path, str]]:
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):  # another user's, or ended meanwhile
            for file in (process / "fd").iterdir():
                with suppress(OSError):
                    yield process, str(file.readlink())


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"


def taken(address: tuple[str, int]) -> OSError | None:
    """Why this address cannot be listened on; None where it can."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
            tried.listen(1)  # two may bind with REUSEADDR, one may listen
    except OSError as error:
        return error
    return None
