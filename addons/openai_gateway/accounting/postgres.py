"""How PostgreSQL is reached: no connection attempt and no statement without a time limit.

Imported only where `log.database` names it: the driver is an extra that not everybody installs.
"""

from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

CONNECT_S: Final = 2  # the least that libpq takes
LOCK_MS: Final = 2000
STATEMENT_MS: Final = 4000
# The server's own limits end a statement cleanly; this one is for a server that says nothing.
ANSWER_S: Final = 5.0
_SETTINGS: Final = {
    "statement_timeout": str(STATEMENT_MS),
    "lock_timeout": str(LOCK_MS),
    "idle_in_transaction_session_timeout": "30000",
    "timezone": "UTC",
}


class Answered(psycopg.Connection[Any]):
    """A connection that is given up when the server does not answer within ANSWER_S."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Raises: OperationalError."""
        began = monotonic()
        try:
            return super().wait(gen, interval, ANSWER_S if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if monotonic() - began < ANSWER_S:
                raise
            self.pgconn.finish()  # its state is unknown, and a rollback would wait again
            raise psycopg.OperationalError(
                f"the server did not answer within {ANSWER_S:g} s"
            ) from error


def connect(url: URL) -> Engine:
    """An engine whose every wait ends, and whose errors name no row."""
    # hstore is looked up at each connection otherwise; prepared statements break behind pgbouncer
    arguments = {
        "connect_timeout": CONNECT_S,
        "prepare_threshold": None,
        "application_name": "openai-gateway",
        "tcp_user_timeout": int(ANSWER_S * 1000),
    }
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        use_native_hstore=False,
        connect_args={name: told for name, told in arguments.items() if name not in url.query},
    )
    event.listen(engine, "do_connect", _open)
    event.listen(engine, "connect", _set_up)
    return engine


def _open(
    _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[Any], named: dict[str, Any]
) -> Answered:
    return Answered.connect(*arguments, **named)


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # by statement, as poolers refuse them among the start's options; outside any transaction, as
    # a rollback would undo them
    connection.autocommit = True
    cursor = connection.cursor()
    for name, told in _SETTINGS.items():
        cursor.execute("SELECT set_config(%s, %s, false)", (name, told))
    cursor.close()
    connection.autocommit = False
