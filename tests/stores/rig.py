"""A call log under test: its writer, and a look into its database from outside."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from openai_gateway.accounting.record import Row, row
from openai_gateway.accounting.writer import LogWriter
from openai_gateway.core.call import Call, Request

SQLITE = "sqlite:///var/calls.db"


class Counts:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()

    def add(self, result: str, rows: int) -> None:
        with self._lock:
            self._seen[result] += rows

    def __getitem__(self, result: str) -> int:
        with self._lock:
            return self._seen[result]


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return self.at


@dataclass(frozen=True)
class Place:
    """A database of a test's own. `url` is what log.database says; `root` is gateway.yaml's."""

    url: str
    root: Path

    @property
    def file(self) -> Path:
        return self.root / "var/calls.db"

    @property
    def sqlite(self) -> bool:
        return self.url == SQLITE

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Somebody else's, with nothing set up as the gateway's are."""
        outside = f"sqlite:///{self.file}" if self.sqlite else self.url
        with create_engine(outside, poolclass=NullPool).connect() as connection:
            yield connection

    def ask(self, query: str = "SELECT count(*) FROM calls") -> Any:
        """The first value that the query finds."""
        return self.column(query)[0]

    def column(self, query: str) -> list[Any]:
        with self.connection() as connection:
            return list(connection.scalars(text(query)))

    def run(self, statement: str) -> None:
        with self.connection() as connection:
            connection.execute(text(statement))
            connection.commit()

    @contextmanager
    def locked(self) -> Iterator[Connection]:
        """Somebody else holds the table's lock until `rollback`."""
        with self.connection() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            else:
                connection.exec_driver_sql("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
            yield connection
            with suppress(SQLAlchemyError):
                connection.rollback()


class Log:
    """A writer into a place."""

    def __init__(self, place: Place, **settings: Any) -> None:
        self.place = place
        self.ask = place.ask
        self.counts = Counts()
        self.writer = LogWriter(place.url, place.root, self.counts, **settings)


def made_row(**known: Any) -> Row:
    call = Call(Request("GET", "api.openai.com", b"/v1/models", []), endpoint="models.list")
    return {**row(call), "status": 200, "outcome": "forwarded", **known}


def until(true: Callable[[], object], within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)
