"""What the database may throw: whether another try can help, and what is told of it."""

from typing import Final

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from openai_gateway.accounting.migrations import NewerDatabase

FAULTS: Final = (
    SQLAlchemyError, OSError, NewerDatabase, ArithmeticError, TypeError, ValueError,
)  # fmt: skip


def of_the_row(error: Exception) -> bool:
    """Whether it is this row that cannot be written, and not the database that cannot write."""
    if isinstance(error, ProgrammingError):
        # from PostgreSQL, which gives it a state: a table that is gone, a right that was taken away
        return getattr(error.orig, "sqlstate", None) is None
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    return isinstance(error, StatementError | ArithmeticError | TypeError | ValueError)


def reason(error: Exception) -> str:
    """The database's own words, without the statement and its values."""
    return str(error.orig if isinstance(error, DBAPIError) else error).split("\n", 1)[0][:200]
