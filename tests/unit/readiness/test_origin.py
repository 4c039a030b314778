"""What `--from` names: a URL, a database's file, or an export."""

import os
from pathlib import Path

import pytest

from openai_gateway.readiness.origin import origin
from openai_gateway.readiness.place import NoLog, Place
from openai_gateway.readiness.source import reading
from tests.support.call_log import write


def test_a_url_is_a_log(tmp_path: Path) -> None:
    write(tmp_path, [])
    place = origin("sqlite:///var/calls.db", {}, tmp_path)
    assert isinstance(place, Place)
    with reading(place) as connection:
        assert connection.dialect.name == "sqlite"


def test_a_reference_is_a_log(tmp_path: Path) -> None:
    place = origin("env:CALLS", {"CALLS": "postgresql+psycopg://u:FAKE@db/calls"}, tmp_path)
    assert isinstance(place, Place)
    assert place.database.reveal() == "postgresql+psycopg://u:FAKE@db/calls"
    assert "FAKE" not in repr(place)


def test_the_file_of_a_database_is_a_log(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    for said in (str(path), "var/calls.db"):
        place = origin(said, {}, tmp_path)
        assert isinstance(place, Place)
        with reading(place):
            pass


def test_any_other_file_is_an_export(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("id\n")
    assert origin("calls.csv", {}, tmp_path) == tmp_path / "calls.csv"


@pytest.mark.parametrize(
    "said", ["nowhere.db", ".", "env:NOT_SET", "a\0b", "postgresql+psycopg://u:FAKE@h/d"]
)
def test_what_is_neither_is_told(tmp_path: Path, said: str) -> None:
    with pytest.raises(NoLog) as told:
        origin(said, {}, tmp_path)
    assert "FAKE" not in str(told.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NoLog, match="is no file"):
        origin("pipe", {}, tmp_path)


def test_a_path_with_a_question_mark_would_name_another_file(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    odd = path.rename(tmp_path / "calls?.db")
    with pytest.raises(NoLog, match="may not hold"):
        origin(str(odd), {}, tmp_path)
