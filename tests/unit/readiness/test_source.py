"""The log is opened to be read: it cannot be written, and what is wrong with it is said."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from openai_gateway.core.secret import Secret
from openai_gateway.readiness.place import NoLog, Place
from openai_gateway.readiness.source import reading
from tests.support.call_log import made_row, place_of, write

COUNT = text("SELECT count(*) FROM calls")


def test_rows_are_read_while_another_connection_writes(tmp_path: Path) -> None:
    path = write(tmp_path, [made_row()])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM calls")
        with reading(place_of(tmp_path)) as connection:
            assert connection.scalar(COUNT) == 1
        writer.execute("COMMIT")


def test_nothing_can_be_written(tmp_path: Path) -> None:
    write(tmp_path, [made_row()])
    with pytest.raises(NoLog) as told, reading(place_of(tmp_path)) as connection:
        connection.execute(text("DELETE FROM calls"))
    assert isinstance(told.value.__cause__, OperationalError)
    with reading(place_of(tmp_path)) as connection:
        assert connection.scalar(COUNT) == 1


def test_a_path_with_letters_of_a_url_is_that_path(tmp_path: Path) -> None:
    odd = tmp_path / "a?mode=rwc#b%20c"
    write(odd, [made_row()])
    with reading(place_of(odd)) as connection:
        assert connection.scalar(COUNT) == 1


def test_a_missing_file_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NoLog, match=r"calls\.db: there is no call log yet.*--config"):
        reading(place_of(tmp_path)).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_the_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    sqlite3.connect(tmp_path / "var/calls.db").close()
    with pytest.raises(NoLog, match="no table"), reading(place_of(tmp_path)) as connection:
        connection.scalar(COUNT)


def test_a_table_of_another_version_is_told(tmp_path: Path) -> None:
    write(tmp_path, [])
    with pytest.raises(NoLog, match="another version"), reading(place_of(tmp_path)) as connection:
        connection.execute(text("SELECT column_of_tomorrow FROM calls"))


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/calls.db").write_text("no database at all, but a text " * 99)
    with pytest.raises(NoLog, match="not a database"), reading(place_of(tmp_path)) as connection:
        connection.scalar(COUNT)


def test_a_url_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoLog, match=r"log\.database"):
        reading(Place(Secret("calls.db"), tmp_path)).__enter__()


def test_no_password_is_told(tmp_path: Path) -> None:
    url = "postgresql+psycopg://gw:FAKEFAKE@127.0.0.1:1/calls"
    with pytest.raises(NoLog) as told, reading(Place(Secret(url), tmp_path)) as connection:
        connection.scalar(COUNT)
    assert "FAKEFAKE" not in str(told.value)


def test_a_copy_in_a_folder_that_cannot_be_written_is_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would make its -shm file there, and cannot; the superuser can, so it is played."""
    path = write(tmp_path, [made_row()])
    with closing(sqlite3.connect(path)) as last:
        last.execute("PRAGMA wal_checkpoint(truncate)")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not Path(f"{path}-wal").exists()
    with reading(place_of(tmp_path)) as connection:
        assert connection.scalar(COUNT) == 1
        assert not Path(f"{path}-shm").exists()
