"""The steps that bring a database to the newest schema, each run once, in order.

Why no library: a list of functions and a table of their numbers is all that one table needs.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, select, text

from openai_gateway.accounting.schema import CALLS, REQUEST_LOG, VERSIONS

type Step = Callable[[Connection], None]


class NewerDatabase(Exception):
    """The database was made by a later version: writing into it could spoil it."""


def _first(connection: Connection) -> None:
    CALLS.create(connection)
    connection.execute(text(REQUEST_LOG))


STEPS: Final[tuple[Step, ...]] = (_first,)


def migrate(engine: Engine, steps: Sequence[Step] = STEPS) -> None:
    """Runs the steps that are missing, all or none of them, in one transaction.

    The transaction takes the write lock at its beginning (database.py), so of two gateways that
    start at once the second waits, and then finds nothing left to do.
    Raises: NewerDatabase; SQLAlchemyError where the database cannot be written.
    """
    with engine.begin() as connection:
        VERSIONS.create(connection, checkfirst=True)
        found = connection.scalar(select(func.max(VERSIONS.c.version))) or 0
        if found > len(steps):
            raise NewerDatabase(_newer(engine, found, len(steps)))
        for number in range(found + 1, len(steps) + 1):
            steps[number - 1](connection)
            applied = {"version": number, "applied_at": datetime.now(UTC)}
            connection.execute(insert(VERSIONS).values(applied))


def _newer(engine: Engine, found: int, known: int) -> str:
    where = engine.url.render_as_string(hide_password=True)
    return (
        f"the call log {where} has schema version {found}, this gateway knows up to {known}: "
        "run the version that wrote it, or name another file under log.database"
    )
