"""An export of the log reads as the log itself does, and what is none is told with its line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openai_gateway.cli.export import _csv, _jsonl
from openai_gateway.readiness.arrivals import Lean
from openai_gateway.readiness.exported import LONGEST, exported
from openai_gateway.readiness.lean import lean
from openai_gateway.readiness.place import NoLog
from openai_gateway.readiness.rows import every
from openai_gateway.readiness.source import reading
from tests.support.call_log import NOW, made_row, place_of, write

LATER = NOW + timedelta(days=1)
TRACE = json.dumps([{"stage": "limits", "verdict": "delayed by rpm, wait_ms=9", "us": 1}])
ROWS: list[dict[str, Any]] = [
    {},
    {"input_tokens": 7, "output_tokens": 0, "features": '{"fields":[],"limits":{"n":2}}'},
    {"key": "-formula", "client": "=1+1", "model_requested": "@x", "model_sent": None},
    {"injected_ms": 9.0, "trace": TRACE, "billed_units": '{"image":2}', "error_code": 'a,b"c'},
]


def exports(tmp_path: Path, form: str, rows: list[dict[str, Any]]) -> Path:
    write(tmp_path, [made_row(NOW + timedelta(seconds=n), **row) for n, row in enumerate(rows)])
    path = tmp_path / f"calls.{form}"
    with (
        reading(place_of(tmp_path)) as connection,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        (_csv if form == "csv" else _jsonl)(every(connection, None, LATER), file)
    return path


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_tells_what_the_database_does(tmp_path: Path, form: str) -> None:
    path = exports(tmp_path, form, ROWS)
    with reading(place_of(tmp_path)) as connection:
        direct = [Lean(*row) for row in lean(connection, None, LATER)]
    told = [Lean(*row) for row in exported(path, None)]
    assert len(told) == len(ROWS)
    for made, kept in zip(told, direct, strict=True):
        expected = kept._replace(started_at=datetime.fromisoformat(str(kept.started_at)))
        assert _comparable(made) == _comparable(expected)


def _comparable(row: Lean) -> tuple[Any, ...]:
    at = row.started_at
    assert isinstance(at, datetime)
    texts = {name: getattr(row, name) for name in ("features", "billed_units", "trace")}
    opened = {name: text and json.loads(text) for name, text in texts.items()}
    return row._replace(started_at=at.replace(tzinfo=UTC), **opened)


def test_a_line_nested_without_end_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"key": ' + "[" * (LONGEST - 100) + "\n")
    with pytest.raises(NoLog, match=r"calls\.jsonl:1: is no row of a log: it is nested too deeply"):
        list(exported(path, None))


def test_since_leaves_older_rows_out(tmp_path: Path) -> None:
    path = exports(tmp_path, "jsonl", ROWS)
    assert len(list(exported(path, NOW + timedelta(seconds=2)))) == 2


def test_a_file_without_rows_has_none(tmp_path: Path) -> None:
    assert list(exported(exports(tmp_path, "csv", []), None)) == []
    empty = tmp_path / "empty"
    empty.write_text("")
    assert list(exported(empty, None)) == []


GOOD = dict.fromkeys(Lean._fields, "x") | {
    "started_at": "2026-11-24T12:00:00Z", "status": 200, "input_tokens": None,
    "output_tokens": None, "duration_ms": 1.5, "request_bytes": 0, "injected_ms": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"started_at": "noon"}, "Invalid isoformat"),
        ({"started_at": None}, "started_at is no time"),
        ({"status": "many"}, "status is no number"),
        ({"status": True}, "status is no number"),
        ({"input_tokens": -1}, "input_tokens is no number"),
        ({"input_tokens": 10**400}, "input_tokens is no number"),
        ({"duration_ms": "nan"}, "duration_ms is no number"),
        ({"duration_ms": None}, "duration_ms is no number"),
        ({"id": 5}, "id is no text"),
        ({"id": None}, "id is no text"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD | changed)}\n")
    with pytest.raises(NoLog, match=rf"calls\.jsonl:2: is no row of a log: .*{said}"):
        list(exported(path, None))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"hello\nworld\n", "2: has no `started_at`"),
        (b"{}\n", "1: has no `started_at`"),
        (b"{\n", "1: is no row"),
        (b'{"a": 1}\n[]\n', "has no `started_at`"),
        (json.dumps(GOOD).encode() + b"\n[]\n", "2: is no row of a log: it is no JSON object"),
        (b"a,b\n1\n", "2: is no row of a log: it has 1 cells, the first line 2"),
        (b"\xff\xfe\x00", "1: is no row of a log: it is no UTF-8 text"),
        (b"{" + b" " * LONGEST, "1: is no row of a log: it is too long"),
        (b'a,b\n"1,2\n', "it has 1 cells"),
    ],
)
def test_what_is_no_export_is_told(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "calls"
    path.write_bytes(data)
    with pytest.raises(NoLog) as told:
        list(exported(path, None))
    assert said in str(told.value)


def test_a_foreign_text_plays_no_tricks_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(GOOD | {"model_sent": "gpt\x1b[2J\n5"}) + "\n")
    (row,) = exported(path, None)
    assert Lean(*row).model_sent == "gpt?[2J?5"


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoLog, match="cannot be read"):
        list(exported(tmp_path / "nowhere", None))


def test_a_file_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    """The second row is wrong, and nobody asks for it."""
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(GOOD) + "\n{\n")
    assert Lean(*next(exported(path, None))).status == 200
