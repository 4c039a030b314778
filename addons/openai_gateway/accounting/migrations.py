"""The steps that bring a database to the newest schema, each run once, in order.

Why no library: a list of functions and a table of their numbers is all that a few tables need.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, select

from openai_gateway.accounting.schema import VERSIONS
from openai_gateway.accounting.steps import STEPS, Step

_LOCK: Final = 0x6F61_6777  # any number that is ours alone in the database


class NewerDatabase(Exception):
    """The database was made by a later version: writing into it could spoil it."""


def migrate(engine: Engine, steps: Sequence[Step] = STEPS) -> None:
    """Runs the steps that are missing, all or none of them, in one transaction.

    Of two gateways that start at once the second waits, and then finds nothing left to do.
    Raises: NewerDatabase; SQLAlchemyError where the database cannot be written.
    """
    with engine.begin() as connection:
        _alone(connection)
        VERSIONS.create(connection, checkfirst=True)
        found = connection.scalar(select(func.max(VERSIONS.c.version))) or 0
        if found > len(steps):
            raise NewerDatabase(_newer(engine, found, len(steps)))
        for number in range(found + 1, len(steps) + 1):
            steps[number - 1](connection)
            applied = {"version": number, "applied_at": datetime.now(UTC)}
            connection.execute(insert(VERSIONS).values(applied))


def _alone(connection: Connection) -> None:
    """Until the transaction ends; SQLite's has the write lock already (database.py)."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _newer(engine: Engine, found: int, known: int) -> str:
    where = engine.url.render_as_string(hide_password=True)
    return (
        f"the call log {where} has schema version {found}, this gateway knows up to {known}: "
        "run the version that wrote it, or name another database under log.database"
    )
