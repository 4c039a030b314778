"""What `--from` names: a database by its URL or its file, or a file that `export` wrote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from openai_gateway.core.secret import Secret
from openai_gateway.readiness.place import NoLog, Place, named

_SQLITE: Final = b"SQLite format 3\0"
_REFERENCES: Final = ("env:", "file:", "exec:")


def origin(said: str, environ: Mapping[str, str], cwd: Path) -> Place | Path:
    """The call log, or the path of an export. A URL with a password goes by reference, as
    log.database does. Raises: NoLog."""
    if "://" in said or said.startswith(_REFERENCES):
        return named(said, environ, cwd)
    path = cwd / said
    try:
        if path.exists() and not path.is_file():
            raise NoLog(f"--from {said}: is no file")  # a pipe might never be written to
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no path"
        raise NoLog(f"--from {said}: cannot be read ({why})") from error
    if head != _SQLITE:
        return path
    if "?" in str(path):
        raise NoLog(f"--from {said}: a database's path may not hold `?`; move it")
    return Place(Secret(f"sqlite:///{path.absolute()}"), cwd)
