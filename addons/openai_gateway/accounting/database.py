"""Opens the call log's database: where its file lies, who may read it, how SQLite is set.

Why not plain create_engine: SQLite's defaults would stall readers, never shrink the file, and let
two writers run into each other halfway through a transaction.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

BUSY_TIMEOUT_MS: Final = 2000
_PRAGMAS: Final = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "auto_vacuum=incremental",  # heeded in a new file only, and before journal_mode writes to it
    "journal_mode=wal",
    "synchronous=normal",  # a killed process loses nothing by it; a power cut the last rows
    "journal_size_limit=67108864",
)


class DatabaseFault(ValueError):
    """`log.database` names nothing that the call log can be written to."""


def locate(database: str, root: Path) -> URL:
    """The URL with its path made absolute: relative ones start at `root`.

    Raises: DatabaseFault for what is no URL, another kind of database, or one without a file.
    """
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise DatabaseFault("log.database: not a URL; write sqlite:///var/calls.db") from error
    if url.get_backend_name() != "sqlite":
        raise DatabaseFault(
            f"log.database: {url.get_backend_name()} is not supported; write sqlite:///var/calls.db"
        )
    if url.database in (None, "", ":memory:"):
        raise DatabaseFault("log.database: names no file; write sqlite:///var/calls.db")
    return url.set(database=str(root / url.database))


def path_of(url: URL) -> Path:
    """The database's file."""
    return Path(url.database or "")


def prepare(url: URL) -> None:
    """Makes the folder and an empty file that only its owner may read, where there is none.

    Raises: OSError.
    """
    path = path_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite's own -wal and -shm files take the mode of the file beside them
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def connect(url: URL) -> Engine:
    """An engine whose transactions take the write lock first, and whose errors name no row."""
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _lock_first)
    return engine


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # sqlite3 would else begin by itself, too late, and commit before a CREATE
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lock_first(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
