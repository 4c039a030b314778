"""Whether the doctor sees what state the call log's database is in, on SQLite and PostgreSQL."""

import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

from openai_gateway.core.secret import Secret
from openai_gateway.readiness import place as readiness
from openai_gateway.readiness.place import NoLog
from openai_gateway.readiness.state import KNOWN, State, state
from tests.stores.rig import Log, Place, made_row, until
from tests.stores.server import Server


def look(place: Place) -> State:
    return state(readiness.Place(Secret(place.url), place.root))


def test_a_new_one_has_no_schema_and_gets_none(place: Place) -> None:
    assert look(place).version == (None if place.sqlite else 0)
    assert look(place).version == (None if place.sqlite else 0)


def test_one_that_a_gateway_made_has_the_newest(place: Place, log: Log) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    found = look(place)
    assert found.version == KNOWN
    assert (found.path == place.file) if place.sqlite else (found.path is None)
    assert log.ask() == 1


def test_a_servers_clock_is_compared(place: Place) -> None:
    ahead = look(place).ahead_s
    assert ahead is None if place.sqlite else (ahead is not None and abs(ahead) < 1)


def test_a_server_that_only_reads_is_told(server: Server, tmp_path: Path) -> None:
    url = make_url(server.database())
    options = f"{url.query['options']} -cdefault_transaction_read_only=on"
    with pytest.raises(NoLog, match="read only"):
        look(Place(url.update_query_dict({"options": options}).render_as_string(), tmp_path))


def test_a_silent_server_is_given_up(server: Server, tmp_path: Path) -> None:
    place = Place(server.database(), tmp_path)
    began = time.monotonic()
    with server.frozen(), pytest.raises(NoLog, match="cannot be reached"):
        look(place)
    assert time.monotonic() - began < 10
