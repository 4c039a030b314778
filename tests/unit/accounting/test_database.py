"""Where the call log's file lies, and how it is opened."""

import sys
from pathlib import Path

import pytest

from openai_gateway.accounting.database import DatabaseFault, connect, locate, path_of, prepare


def test_a_relative_path_starts_at_the_root(tmp_path: Path) -> None:
    assert path_of(locate("sqlite:///var/calls.db", tmp_path)) == tmp_path / "var/calls.db"


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    assert path_of(locate(f"sqlite:///{tmp_path}/x.db", Path("/else"))) == tmp_path / "x.db"


def test_a_servers_url_is_taken_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="the driver of the extra [postgres] is not installed")
    url = locate("postgresql+psycopg://gw@db.example/calls?sslmode=require", tmp_path)
    assert url.render_as_string() == "postgresql+psycopg://gw@db.example/calls?sslmode=require"
    assert path_of(url) is None
    prepare(url)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_driver_is_named_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseFault, match=r"pip install 'openai-gateway\[postgres\]'"):
        locate("postgresql+psycopg://gw@db.example/calls", tmp_path)


@pytest.mark.parametrize(
    "database",
    ["calls.db", "", "mysql://h/d", "postgresql+asyncpg://h/d", "sqlite://", "sqlite:///:memory:"],
)
def test_what_names_no_file_is_refused_with_the_fix(database: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseFault, match=r"log\.database: .*write sqlite:///var/calls\.db"):
        locate(database, tmp_path)


def test_the_folder_is_made_and_only_the_owner_may_read_the_rows(tmp_path: Path) -> None:
    url = locate("sqlite:///a/b/calls.db", tmp_path)
    prepare(url)
    with connect(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        files = sorted((tmp_path / "a/b").iterdir())
        modes = {file.name: file.stat().st_mode & 0o777 for file in files}
    assert modes == {"calls.db": 0o600, "calls.db-shm": 0o600, "calls.db-wal": 0o600}


def test_sqlite_is_set_for_one_writer_beside_readers(tmp_path: Path) -> None:
    url = locate("sqlite:///calls.db", tmp_path)
    prepare(url)
    with connect(url).begin() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "auto_vacuum", "busy_timeout")
        }
    assert told == {
        "journal_mode": "wal",
        "synchronous": 1,  # normal
        "auto_vacuum": 2,  # incremental
        "busy_timeout": 2000,
    }
