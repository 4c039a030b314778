"""Keeps another limit of a budget: in the call log's table, then in the store gateways share."""

import asyncio
import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from openai_gateway.accounting.database import DatabaseFault
from openai_gateway.accounting.migrations import NewerDatabase
from openai_gateway.accounting.table import CallsTable
from openai_gateway.budgets.store import Override, Unavailable
from openai_gateway.config.spending import Spending
from openai_gateway.core.clock import SystemClock
from openai_gateway.readiness.budgets import shared_store
from openai_gateway.readiness.place import Place


class NotKept(Exception):
    """It is not in force everywhere; the message says where it is."""


def keep(place: Place, said: Override, before: int, command: str, spending: Spending) -> None:
    """`before` is the limit until now, `command` what was asked for. Raises: NotKept."""
    try:
        table = CallsTable(place.database.reveal(), place.root)
        try:
            told = (said.budget, said.limit, said.until, said.by, said.at)
            table.override(told, before, command)
        finally:
            table.close()
    except (DatabaseFault, NewerDatabase) as error:
        raise NotKept(f"{error}; nothing was changed") from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise NotKept(
            f"log.database cannot be written ({type(error).__name__}); nothing was changed: may "
            f"this user write it, and is it locked?"
        ) from error
    if not spending.shared:
        return
    try:
        asyncio.run(_tell(said, spending))
    except Unavailable as error:
        raise NotKept(
            f"{error}. It is in the call log, so gateways that share it follow; for the others say "
            f"it again"
        ) from error


async def _tell(said: Override, spending: Spending) -> None:
    async with shared_store(spending, SystemClock()) as store:
        await store.override(said)
