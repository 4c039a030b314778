"""The database as its writer sees it: opened when needed, opened anew after any failure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Insert, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from openai_gateway.accounting.claims import Bid, Decision, decide
from openai_gateway.accounting.database import connect, locate, path_of, prepare
from openai_gateway.accounting.migrations import migrate
from openai_gateway.accounting.record import Row
from openai_gateway.accounting.retention import Keep, delete_oldest, give_back, surplus
from openai_gateway.accounting.schema import BODIES, CALLS, CHARGES
from openai_gateway.accounting.spend import (
    Kept,
    Raised,
    forget_sums,
    read_overrides,
    read_sums,
    write_override,
    write_sums,
)

CHARGES_KEPT: Final = Keep(days=30, rows=100_000)


def _row(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    # not INSERT OR IGNORE, which would swallow every other broken constraint too
    return insert.on_conflict_do_nothing(index_elements=[CALLS.c.id])


def _body(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    return insert.on_conflict_do_nothing(index_elements=[BODIES.c.id, BODIES.c.side])


def _charge(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[CHARGES.c.id],
        # what was charged once stays so
        set_={
            "charged": or_(CHARGES.c.charged, new.charged),
            "at": new.at,
            "budgets": func.coalesce(new.budgets, CHARGES.c.budgets),
        },
    )


_ROWS: Final = {
    "sqlite": _row(sqlite.insert(CALLS)),
    "postgresql": _row(postgresql.insert(CALLS)),
}
_BODIES: Final = {
    "sqlite": _body(sqlite.insert(BODIES)),
    "postgresql": _body(postgresql.insert(BODIES)),
}
_CHARGES: Final = {
    "sqlite": _charge(sqlite.insert(CHARGES)),
    "postgresql": _charge(postgresql.insert(CHARGES)),
}


class CallsTable:
    """Used by one thread. Every method raises SQLAlchemyError, OSError or NewerDatabase."""

    def __init__(self, database: str, root: Path) -> None:
        """Raises: DatabaseFault."""
        self._url = locate(database, root)
        self._path = path_of(self._url)
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._surplus = [0, 0, 0]

    @property
    def path(self) -> Path | None:
        """The file that the rows lie in; None where a server holds them."""
        return self._path

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

    def write(
        self,
        rows: Sequence[Row],
        noted: Sequence[Row] = (),
        bodies: Sequence[Mapping[str, object]] = (),
        spend: Sequence[Mapping[str, object]] = (),
        bids: Sequence[Bid] = (),
    ) -> dict[str, Decision]:
        """Writes rows, charges, bodies and the sums of budgets, all or nothing; what is there
        already stays as it is, but for the sums. A call that wins its bid gets its paid row.

        Gives the decisions by call.
        """
        connection = self.open()
        decided: dict[str, Decision] = {}
        with connection.begin():
            if noted:
                ordered = sorted(noted, key=lambda one: str(one["id"]))
                connection.execute(_CHARGES[connection.dialect.name], ordered)
            if bids:
                decided = decide(connection, bids, datetime.now(UTC))
                paid = {bid.call: bid.paid for bid in bids if decided[bid.call].won}
                rows = [paid.get(str(row["id"]), row) for row in rows]
            if rows:
                connection.execute(_ROWS[connection.dialect.name], rows)
            if bodies:
                connection.execute(_BODIES[connection.dialect.name], bodies)
            if spend:
                write_sums(connection, spend)
        return decided

    def charges(self, now: float) -> dict[str, bool]:
        """The ids that CHARGES_KEPT keeps, and whether each was charged."""
        connection = self.open()
        since = datetime.fromtimestamp(now, UTC) - timedelta(days=CHARGES_KEPT.days)
        newest = (
            select(CHARGES.c.id, CHARGES.c.charged)
            .where(CHARGES.c.at >= since)
            .order_by(CHARGES.c.at.desc())
            .limit(CHARGES_KEPT.rows)
        )
        with connection.begin():
            return {found.id: found.charged for found in connection.execute(newest)}

    def spend(self, now: float, but: str = "") -> list[Kept]:
        """What budgets have spent in the periods that may still run, but by the source `but`."""
        connection = self.open()
        with connection.begin():
            return read_sums(connection, now, but)

    def overrides(self) -> list[Raised]:
        """The overrides of budgets, the newest first."""
        connection = self.open()
        with connection.begin():
            return read_overrides(connection)

    def override(self, said: Raised, before: int | None = None, command: str | None = None) -> None:
        """Notes that a budget was raised; `before` is what held until now."""
        connection = self.open()
        with connection.begin():
            write_override(connection, said, before, command)

    def sweep(self, keep: Keep, bodies: Keep, now: float) -> bool:
        """Deletes a piece of what has to go; whether there is more to delete."""
        connection = self.open()
        kept = ((CALLS.c.started_at, keep), (CHARGES.c.at, CHARGES_KEPT), (BODIES.c.at, bodies))
        with connection.begin():
            more_sums = forget_sums(connection, now)
            if not any(self._surplus):
                self._surplus = [surplus(connection, at, limit, now) for at, limit in kept]
            if not any(self._surplus):
                return more_sums
            for place, (at, _) in enumerate(kept):
                if too_many := self._surplus[place]:
                    deleted = delete_oldest(connection, at, too_many)
                    self._surplus[place] = too_many - deleted if deleted else 0
        with connection.begin():
            give_back(connection)
        return more_sums or any(self._surplus)

    def close(self) -> None:
        """Lets go of the database; the next use opens it again."""
        connection, self._connection = self._connection, None
        self._surplus = [0, 0, 0]
        if connection is not None:
            connection.close()

    def _identity(self) -> tuple[int, int] | None:
        """Which file the path names: SQLite writes on, unseen, into one that was deleted."""
        if self._path is None:
            return None
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino
