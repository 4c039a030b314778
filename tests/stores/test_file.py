"""What only a database in a file can meet: no folder, a folder that goes, a full disk."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.rig import SQLITE, Log, Place, made_row, until

ADDONS = Path(__file__).parents[2] / "addons"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(Place(SQLITE, tmp_path))
    made.writer.start()
    yield made
    made.writer.close(5)


def test_a_folder_that_cannot_be_made_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    log = Log(Place(SQLITE, tmp_path))
    log.writer.start()
    log.writer.put(made_row())
    assert not log.writer.healthy()[0]
    (tmp_path / "var").unlink()
    until(lambda: log.writer.healthy()[0])
    until(lambda: log.counts["written"] == 1)
    log.writer.close(5)
    assert log.ask() == 1


def test_an_idle_log_becomes_ready_again_by_itself(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    log = Log(Place(SQLITE, tmp_path))
    log.writer.start()
    assert not log.writer.healthy()[0]
    (tmp_path / "var").unlink()
    until(lambda: log.writer.healthy()[0])
    log.writer.close(5)


def test_a_folder_that_is_deleted_is_made_again(log: Log) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    shutil.rmtree(log.place.file.parent)
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 2)
    assert log.ask() == 1


def test_closing_leaves_no_file_of_sqlites_own(log: Log) -> None:
    log.writer.put(made_row())
    log.writer.close(5)
    assert [file.name for file in log.place.file.parent.iterdir()] == ["calls.db"]


PROGRAM = """
import resource, sys
from pathlib import Path
from tests.stores.rig import SQLITE, Log, Place, made_row, until
log = Log(Place(SQLITE, Path(sys.argv[1])))
log.writer.start()
log.writer.put(made_row())
until(lambda: log.counts["written"] == 1)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, unlimited[1]))
for _ in range(300):
    log.writer.put(made_row())
until(lambda: not log.writer.healthy()[0])
print(log.counts["written"], log.counts["failed"], log.counts["dropped"])
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
until(lambda: log.counts["written"] == 301)
print(log.writer.healthy(), log.ask(), log.counts["dropped"])
log.writer.close(5)
"""


def test_a_full_disk_is_waited_out_and_every_row_written(tmp_path: Path) -> None:
    path = f"{ADDONS}{os.pathsep}{ADDONS.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    full, after = ended.stdout.splitlines() or pytest.fail(ended.stderr)
    written, failed, dropped = map(int, full.split())
    assert (written, dropped) == (1, 0)
    assert 1 <= failed <= 300
    assert after == "(True, '') 301 0"
