"""Rows as they are: in order, each once, with their times in UTC."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openai_gateway.readiness.rows import BATCH, COLUMNS, Tail, as_json, every, newest, one
from openai_gateway.readiness.source import reading
from tests.support.call_log import NOW, made_row, place_of, write

SECOND = timedelta(seconds=1)


def test_the_newest_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    made = [made_row(NOW + n * SECOND) for n in (2, 0, 3, 1)]
    write(tmp_path, made)
    with reading(place_of(tmp_path)) as connection:
        found = newest(connection, None, 3)
        late = newest(connection, NOW + 2 * SECOND, 3)
    assert [row["id"] for row in found] == [made[n]["id"] for n in (2, 0, 3)]
    assert [row["id"] for row in late] == [made[n]["id"] for n in (2, 0)]


def test_a_row_has_every_column_and_its_time_in_utc(tmp_path: Path) -> None:
    made = made_row()
    write(tmp_path, [made, made_row()])
    with reading(place_of(tmp_path)) as connection:
        found = one(connection, str(made["id"]))
        assert one(connection, "gw_x") is None
    assert found is not None
    assert tuple(found) == COLUMNS
    assert found["started_at"] == NOW


def test_json_holds_what_is_kept_as_json_as_what_it_says(tmp_path: Path) -> None:
    trace = '[{"stage":"route","verdict":"pass","us":7}]'
    write(tmp_path, [made_row(trace=trace, billed_units='{"second": 1.5}', features="{not")])
    with reading(place_of(tmp_path)) as connection:
        (row,) = newest(connection, None, 1)
    made = as_json(row)
    assert made["trace"] == [{"stage": "route", "verdict": "pass", "us": 7}]
    assert made["billed_units"] == {"second": 1.5}
    assert made["features"] == "{not"
    assert made["started_at"] == "2026-11-24T12:00:00.000000Z"


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 7])
def test_an_export_has_each_row_once_the_oldest_first(tmp_path: Path, count: int) -> None:
    """Many of them at the same moment, as the batches are cut by the moment."""
    made = [made_row(NOW + n // 300 * SECOND) for n in range(count)]
    write(tmp_path, made)
    with reading(place_of(tmp_path)) as connection:
        found = [row["id"] for row in every(connection, None, datetime.now(UTC) + 99 * SECOND)]
    assert found == [row["id"] for row in sorted(made, key=lambda r: (r["started_at"], r["id"]))]


def test_an_export_keeps_to_its_window(tmp_path: Path) -> None:
    made = [made_row(NOW + n * SECOND) for n in range(4)]
    write(tmp_path, made)
    with reading(place_of(tmp_path)) as connection:
        found = list(every(connection, NOW + SECOND, NOW + 2 * SECOND))
    assert [row["id"] for row in found] == [made[1]["id"], made[2]["id"]]


def test_a_tail_gives_what_is_written_after_it_began_once(tmp_path: Path) -> None:
    write(tmp_path, [made_row()])
    with reading(place_of(tmp_path)) as connection:
        tail = Tail(connection)
        assert tail.fresh(connection) == []
    # began long ago, ended just now
    made = [made_row(), made_row(NOW - timedelta(hours=1))]
    write(tmp_path, made)
    with reading(place_of(tmp_path)) as connection:
        assert [row["id"] for row in tail.fresh(connection)] == [row["id"] for row in made]
        assert tail.fresh(connection) == []


def test_a_tail_goes_on_in_a_file_that_was_made_anew(tmp_path: Path) -> None:
    path = write(tmp_path, [made_row(), made_row()])
    with reading(place_of(tmp_path)) as connection:
        tail = Tail(connection)
    for file in path.parent.iterdir():
        file.unlink()
    made = made_row()
    write(tmp_path, [made])
    with reading(place_of(tmp_path)) as connection:
        assert [row["id"] for row in tail.fresh(connection)] == [made["id"]]
