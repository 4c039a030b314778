"""Files that are written whole or not at all, by one process at a time."""

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_POLL_S: Final = 0.02


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """The file appears whole or not at all, also after a power cut. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def lock(path: Path, wait_s: float) -> Iterator[None]:
    """Held by one process at a time; the others wait, and then find the work done.

    Raises OSError; of it TimeoutError, whose message names the file, after `wait_s` seconds.
    """
    deadline = time.monotonic() + wait_s
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{path}: another process has held it for {wait_s:.0f} s; end it"
                )
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
