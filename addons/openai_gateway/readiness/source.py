"""Opens the call log to read it: never a write, never a lock that the gateway would wait for."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from openai_gateway.accounting.database import DatabaseFault, locate
from openai_gateway.readiness.place import NoLog, Place

type Log = Connection  # for those who may not know SQL

WAIT_S: Final = 5
LONGEST_S: Final = 60


@contextmanager
def reading(place: Place) -> Iterator[Connection]:
    """A connection that can only read. Raises: NoLog, also for what fails while it is used."""
    url = _located(place)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NoLog(
            f"{url.database}: there is no call log yet; a gateway makes it at its start. "
            "Name its gateway.yaml with --config"
        )
    try:
        with _engine(url).connect() as connection:
            if url.get_backend_name() != "sqlite":
                _bound(connection)
            yield connection
    except (SQLAlchemyError, sqlite3.Error, ImportError) as error:
        raise NoLog(f"{_shown(url)}: {_why(error)}") from error


def _located(place: Place) -> URL:
    try:
        return locate(place.database.reveal(), place.root)
    except DatabaseFault as error:
        raise NoLog(str(error)) from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            use_native_hstore=False,
            # prepared statements break behind a pooler
            connect_args={"connect_timeout": WAIT_S, "prepare_threshold": None},
        )
    path = Path(url.database or "")

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(_uri(path), uri=True, timeout=WAIT_S)

    return create_engine("sqlite://", creator=opened, poolclass=NullPool, hide_parameters=True)


def _bound(connection: Connection) -> None:
    """PostgreSQL, for the one transaction that follows: read only, days of UTC, and an end."""
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LONGEST_S}s'")


def _uri(path: Path) -> str:
    """A file in a folder where nothing can be written, that nobody writes, has no journal to keep.

    SQLite needs its -shm file to read beside a writer, and would make it.
    """
    idle = not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if idle else ''}"


def _shown(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def _why(error: Exception) -> str:
    """The driver's own words only where they cannot hold a password."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error):
        return "cannot be reached or read; is it up, and may this user read it?"
    words = str(cause)
    if words.startswith("no such table"):
        return "holds no table `calls` yet; a gateway makes it at its start"
    if words.startswith("no such column"):
        return "was made by another version; start this version's gateway once, which renews it"
    return f"cannot be read ({words})"
