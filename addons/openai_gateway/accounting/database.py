"""Opens the call log's database: where it lies, who may read its file, how SQLite is set.

Why not plain create_engine: SQLite's defaults would stall readers, never shrink the file, and let
two writers run into each other halfway through a transaction.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

POSTGRESQL: Final = "postgresql+psycopg"
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
    """The URL; a file's path is made absolute, relative ones start at `root`.

    Raises: DatabaseFault for what is no URL, another kind of database, a missing driver or file.
    """
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise DatabaseFault("log.database: not a URL; write sqlite:///var/calls.db") from error
    if url.drivername == POSTGRESQL:
        return _with_driver(url)
    if url.get_backend_name() != "sqlite":
        raise DatabaseFault(
            f"log.database: {url.drivername} is not supported; "
            f"write sqlite:///var/calls.db or {POSTGRESQL}://…"
        )
    if url.database in (None, "", ":memory:"):
        raise DatabaseFault("log.database: names no file; write sqlite:///var/calls.db")
    return url.set(database=str(root / url.database))


def _with_driver(url: URL) -> URL:
    try:
        import_module("psycopg")
    except ImportError as error:
        raise DatabaseFault(
            "log.database: PostgreSQL needs its driver; pip install 'openai-gateway[postgres]'"
        ) from error
    return url


def path_of(url: URL) -> Path | None:
    """The database's file; None where a server holds it."""
    return None if url.drivername == POSTGRESQL else Path(url.database or "")


def prepare(url: URL) -> None:
    """Makes the folder and an empty file that only its owner may read, where there is none.

    Raises: OSError.
    """
    path = path_of(url)
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite's own -wal and -shm files take the mode of the file beside them
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def connect(url: URL) -> Engine:
    """An engine that waits for nothing without an end, and whose errors name no row.

    On SQLite its transactions take the write lock first.
    """
    if url.drivername == POSTGRESQL:
        # the driver is an extra, so it is asked for only where it is needed
        from openai_gateway.accounting import postgres

        return postgres.connect(url)
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
