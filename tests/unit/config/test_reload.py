"""When a change is seen: whole, once, and however the file was replaced."""

import os
from pathlib import Path

from openai_gateway.config.reload import Watch


def settled(watch: Watch) -> list[bool]:
    """What three looks in a row say."""
    return [watch.changed() for _ in range(3)]


def test_an_untouched_file_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("a")
    assert settled(Watch(path)) == [False, False, False]


def test_a_change_is_told_once_at_the_second_look(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("a")
    watch = Watch(path)
    path.write_text("ab")
    assert settled(watch) == [False, True, False]


def test_a_file_that_is_still_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("a")
    watch = Watch(path)
    path.write_text("ab")
    assert not watch.changed()
    path.write_text("abc")
    assert settled(watch) == [False, True, False]


def test_an_atomically_replaced_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("a")
    watch = Watch(path)
    new = tmp_path / "new"
    new.write_text("b")
    os.utime(new, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    new.replace(path)
    assert settled(watch) == [False, True, False]


def test_a_swapped_symlink_on_the_way_is_seen(tmp_path: Path) -> None:
    """As a ConfigMap does it: gateway.yaml -> ..data/gateway.yaml, ..data -> a folder."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gateway.yaml").write_text("a")
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "gateway.yaml").symlink_to("..data/gateway.yaml")
    watch = Watch(tmp_path / "gateway.yaml")
    (tmp_path / "swap").symlink_to("two")
    (tmp_path / "swap").replace(tmp_path / "..data")
    assert settled(watch) == [False, True, False]


def test_a_file_that_is_away_for_a_moment_is_no_change_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("a")
    watch = Watch(path)
    path.unlink()
    assert settled(watch) == [False, False, False]
    path.write_text("b!")
    assert settled(watch) == [False, True, False]


def test_a_secret_file_that_changes_is_a_change(tmp_path: Path) -> None:
    path, key = tmp_path / "gateway.yaml", tmp_path / "key"
    path.write_text("a")
    key.write_text("a")
    watch = Watch(path, (key,))
    key.write_text("ab")
    assert settled(watch) == [False, True, False]


def test_files_that_join_are_watched_and_those_that_leave_are_not(tmp_path: Path) -> None:
    path, old, new = tmp_path / "gateway.yaml", tmp_path / "old", tmp_path / "new"
    for each in (path, old, new):
        each.write_text("a")
    watch = Watch(path, (old,))
    watch.extend((new,))
    old.write_text("ab")
    assert settled(watch) == [False, False, False]
    new.write_text("ab")
    assert settled(watch) == [False, True, False]


def test_a_change_of_the_file_while_it_was_read_is_not_lost_by_extending(tmp_path: Path) -> None:
    path, key = tmp_path / "gateway.yaml", tmp_path / "key"
    path.write_text("a")
    key.write_text("a")
    watch = Watch(path)
    path.write_text("ab")
    watch.extend((key,))
    assert True in settled(watch)
