"""The call log's table as its writer sees it: opened when needed, opened anew after any failure."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from openai_gateway.accounting.database import connect, locate, path_of, prepare
from openai_gateway.accounting.migrations import migrate
from openai_gateway.accounting.record import Row
from openai_gateway.accounting.retention import Keep, delete_oldest, give_back, surplus
from openai_gateway.accounting.schema import CALLS

# not INSERT OR IGNORE, which would swallow every other broken constraint too
_INSERT = insert(CALLS).on_conflict_do_nothing(index_elements=[CALLS.c.id])


class CallsTable:
    """Used by one thread. Every method raises SQLAlchemyError, OSError or NewerDatabase."""

    def __init__(self, database: str, root: Path) -> None:
        self._url = locate(database, root)
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._surplus = 0

    @property
    def path(self) -> Path:
        """Where the rows lie."""
        return path_of(self._url)

    def open(self) -> Connection:
        """The open connection; a new one where there is none, or its file is no longer there."""
        if self._connection is not None and self._file == self._identity():
            return self._connection
        self.close()
        prepare(self._url)
        engine = connect(self._url)
        migrate(engine)
        self._file = self._identity()
        self._connection = engine.connect()
        return self._connection

    def write(self, rows: Sequence[Row]) -> None:
        """Writes all rows or none; a row that is there already is left as it is."""
        connection = self.open()
        with connection.begin():
            connection.execute(_INSERT, rows)

    def sweep(self, keep: Keep, now: float) -> bool:
        """Deletes a piece of what has to go; whether there is more to delete."""
        connection = self.open()
        with connection.begin():
            self._surplus = self._surplus or surplus(connection, keep, now)
            if not self._surplus:
                return False
            deleted = delete_oldest(connection, self._surplus)
        with connection.begin():
            give_back(connection)
        self._surplus = self._surplus - deleted if deleted else 0
        return self._surplus > 0

    def close(self) -> None:
        """Lets go of the file; the next use opens it again."""
        connection, self._connection = self._connection, None
        self._surplus = 0
        if connection is not None:
            connection.close()

    def _identity(self) -> tuple[int, int] | None:
        """Which file the path names: SQLite writes on, unseen, into one that was deleted."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino
