"""A call log with rows that a test chooses, as the gateway itself would have made it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from openai_gateway.accounting.database import connect, locate, prepare
from openai_gateway.accounting.migrations import migrate
from openai_gateway.accounting.record import Row, row
from openai_gateway.accounting.schema import CALLS
from openai_gateway.core.call import Call, Request
from openai_gateway.core.secret import Secret
from openai_gateway.readiness.place import Place

DATABASE = "sqlite:///var/calls.db"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def made_row(at: datetime = NOW, **values: object) -> Row:
    """A forwarded call with the columns that `values` names changed."""
    call = Call(
        Request("POST", "api.openai.com", b"/v1/chat/completions", []),
        started_at=at.timestamp(), endpoint="chat.create", key="default", client="ci",
        model_requested="gpt-5.4-mini", admitted=True, status=200, outcome="forwarded",
    )  # fmt: skip
    return {**row(call), **values}


def write(root: Path, rows: Sequence[Row]) -> Path:
    """The log under `root` with these rows added; gives its file."""
    url = locate(DATABASE, root)
    prepare(url)
    engine = connect(url)
    migrate(engine)
    if rows:
        with engine.begin() as connection:
            connection.execute(insert(CALLS), rows)
    return Path(url.database or "")


def place_of(root: Path) -> Place:
    return Place(Secret(DATABASE), root)
