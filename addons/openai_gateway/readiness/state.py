"""Whether the call log's database can be written, by whom it was made, and what time it has there.

Nothing is written: a write transaction is begun and given up.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from openai_gateway.accounting.database import DatabaseFault, connect, locate, path_of
from openai_gateway.accounting.schema import VERSIONS
from openai_gateway.accounting.steps import STEPS
from openai_gateway.readiness.place import NoLog, Place

WAIT_S: Final = 2.0
KNOWN: Final = len(STEPS)


@dataclass(frozen=True, slots=True)
class State:
    """`version`: 0 in a database without our tables, None where there is no file yet.

    `ahead_s`: by how much a server's clock is ahead; None for a file.
    """

    shown: str
    path: Path | None
    version: int | None
    ahead_s: float | None = None


def state(place: Place) -> State:
    """Raises: NoLog, where it cannot be reached, read or written."""
    try:
        url = locate(place.database.reveal(), place.root)
    except DatabaseFault as error:
        raise NoLog(str(error)) from error
    path = path_of(url)
    return _server(url) if path is None else _file(path)


def _file(path: Path) -> State:
    if not path.exists():
        return State(str(path), path, None)
    uri = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_S)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            version = _version(connection)
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise NoLog(f"{path}: {error}") from error
    return State(str(path), path, version)


def _version(connection: sqlite3.Connection) -> int:
    try:
        (found,) = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return 0
    return int(found or 0)


def _server(url: URL) -> State:
    shown = url.render_as_string(hide_password=True)
    try:
        engine = connect(url)
        with engine.connect() as connection:
            began = time.time()
            clock = float(
                connection.scalar(select(func.extract("epoch", func.clock_timestamp()))) or 0
            )
            ahead = clock - (began + time.time()) / 2
            _may_write(connection, shown)
            there = inspect(connection).has_table(VERSIONS.name)
            version = connection.scalar(select(func.max(VERSIONS.c.version))) if there else 0
    except (SQLAlchemyError, ImportError, OSError) as error:
        # the driver's own words may hold a password
        raise NoLog(f"{shown}: cannot be reached or read ({type(error).__name__})") from error
    return State(shown, None, version or 0, ahead)


def _may_write(connection: Connection, shown: str) -> None:
    """Raises: NoLog."""
    if connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on":
        raise NoLog(f"{shown}: the server is read only (a standby?)")
    there = inspect(connection).has_table("calls")
    allowed = (
        func.has_table_privilege("calls", "INSERT")
        if there
        else func.has_schema_privilege(func.current_schema(), "CREATE")
    )
    if not connection.scalar(select(allowed)):
        raise NoLog(f"{shown}: this user may not write there")
