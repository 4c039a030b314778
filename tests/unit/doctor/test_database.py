"""What is said of the call log's database: real SQLite files, locked, spoiled, too new."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openai_gateway.doctor import database
from openai_gateway.doctor.finding import Finding
from openai_gateway.readiness import state
from tests.support.call_log import made_row, write
from tests.unit.doctor.rig import only, site

DATABASE = Path("var") / "calls.db"


def look(folder: Path) -> Finding:
    return only(database.look(site(folder)))


def made(folder: Path) -> Path:
    write(folder, [made_row(datetime.now(UTC))])
    return folder / DATABASE


def test_one_that_is_not_there_yet_passes_and_is_not_made(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert (found.status, "is made at the first start" in found.evidence) == ("pass", True)
    assert not (tmp_path / "var").exists()


def test_one_that_can_be_written_passes_with_its_schema(tmp_path: Path) -> None:
    made(tmp_path)
    found = look(tmp_path)
    assert (found.status, f"schema {state.KNOWN};" in found.evidence) == ("pass", True)


def test_no_key_needs_to_be_set(tmp_path: Path) -> None:
    made(tmp_path)
    empty = {"OPENAI_API_KEY_PRODUCTION": "", "OPENAI_API_KEY_STAGING": ""}
    machine = site(tmp_path, env=empty)
    assert machine.loaded is None
    assert only(database.look(machine)).status == "pass"


def test_nothing_is_written(tmp_path: Path) -> None:
    path = made(tmp_path)
    before = path.read_bytes()
    look(tmp_path)
    assert path.read_bytes() == before


def test_one_that_is_locked_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "WAIT_S", 0.1)
    with closing(sqlite3.connect(made(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = look(tmp_path)
        other.execute("ROLLBACK")
    assert (found.status, "locked" in found.evidence) == ("fail", True)


def test_what_is_no_database_fails(tmp_path: Path) -> None:
    made(tmp_path).write_bytes(b"no database" * 1000)
    assert look(tmp_path).status == "fail"


def test_one_of_a_later_version_fails(tmp_path: Path) -> None:
    with closing(sqlite3.connect(made(tmp_path))) as connection, connection:
        connection.execute("INSERT INTO schema_version VALUES (99, '2027-01-01')")
    found = look(tmp_path)
    assert (found.status, "has schema 99" in found.evidence) == ("fail", True)


def test_an_older_one_passes_as_the_start_renews_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(made(tmp_path))) as connection, connection:
        connection.execute("DELETE FROM schema_version WHERE version > 1")
    found = look(tmp_path)
    assert (found.status, f"brings it to {state.KNOWN}" in found.evidence) == ("pass", True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_one_that_this_user_may_not_write_fails(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.chmod(0o400)
    assert look(tmp_path).status == "fail"


@pytest.mark.parametrize(
    ("free", "status"), [((1 << 30), "pass"), ((1 << 30) - 1, "warn"), ((100 << 20) - 1, "fail")]
)
def test_a_disk_that_fills_up_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("openai_gateway.doctor.database.shutil.disk_usage", lambda _: usage)
    assert look(tmp_path).status == status


def test_a_server_that_is_not_there_fails_without_its_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://gw:hunter22FAKE@127.0.0.1:1/calls"
    said = {"log": {"database": "env:LOG_URL"}}
    found = only(database.look(site(tmp_path, said, {"LOG_URL": url})))
    assert (found.status, "hunter22" in repr(found)) == ("fail", False)
