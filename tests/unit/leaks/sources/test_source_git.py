"""What git is asked, and how its answers are read."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.leaks.sources import source_git
from openai_gateway.leaks.sources.source_git import (
    GitFailed,
    contents,
    files_of,
    is_ignored,
    sizes,
    top,
)
from tests.support.git import Git

LINE = st.sampled_from(["a", "b", "", "@@ -1 +1 @@", "diff --git a/x b/x", "\\ No newline", "-- "])


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "work")


def lines_added(git: Git) -> dict[str, set[int] | None]:
    return {
        one.path: None
        if one.added is None
        else {line for first, last in one.added for line in range(first, last + 1)}
        for one in source_git.staged(str(git.folder))
    }


@settings(max_examples=25)
@given(
    before=st.lists(LINE, min_size=1, max_size=12),
    new=st.lists(st.tuples(st.integers(0, 12), LINE), min_size=1, max_size=6),
)
def test_the_lines_that_were_added_are_told(
    before: list[str],
    new: list[tuple[int, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    git = Git(tmp_path_factory.mktemp("added"))
    git.write("a", "".join(f"{line}\n" for line in before))
    git.write("b", "x\n")
    git("add", ".")
    git.commit()
    after = list(before)
    for at, line in new:
        after.insert(min(at, len(after)), line)
    git.write("a", "".join(f"{line}\n" for line in after))
    git.write("b", "x\ny\n")
    git("add", ".")
    added = lines_added(git)
    assert added["b"] == {2}
    lines = added["a"]
    assert lines is not None
    # Which of equal lines is the new one is git's to say: what is left must be what there was.
    assert [line for number, line in enumerate(after, 1) if number not in lines] == before


def test_each_kind_of_change_has_its_lines(git: Git) -> None:
    many = "".join(f"{number}\n" for number in range(30))
    for name in ("changed", "renamed", "mode", "deleted", "moved"):
        git.write(name, many + name)
    git("add", ".")
    git.commit()
    git.write("changed", f"first\n{many}changed")
    git("mv", "renamed", "renamed-too")
    git("mv", "moved", "moved-too")
    git.write("moved-too", f"{many}moved\nlast")
    (git.folder / "mode").chmod(0o755)
    git("rm", "--quiet", "deleted")
    git.write("fresh", "1\n2\n")
    git("add", ".")
    assert lines_added(git) == {
        "changed": {1},
        "renamed-too": set(),
        "mode": set(),
        "moved-too": {31, 32},
        "fresh": None,
    }


def test_contents_come_by_their_names_and_what_is_not_there_is_left_out(git: Git) -> None:
    git.write("a", "one\n\ntwo")
    git.write("b", "")
    git("add", ".")
    oids = [one.oid for one in source_git.staged(str(git.folder))]
    asked = [oids[0], "0" * 40, oids[1]]
    assert contents(asked, str(git.folder)) == {oids[0]: b"one\n\ntwo", oids[1]: b""}
    assert sizes(asked, str(git.folder)) == {oids[0]: 8, oids[1]: 0}
    assert sizes([], str(git.folder)) == {}


def test_files_that_are_not_ignored_are_told_from_the_folder(git: Git) -> None:
    for name in ("sub/a", "sub/new\nline", "sub/x.log", "b", "build/c"):
        git.write(name, "x")
    git.write(".gitignore", "*.log\nbuild/\n")
    git("add", "sub/a")
    assert sorted(files_of(str(git.folder / "sub"))) == ["a", "new\nline"]
    assert files_of(str(git.folder / "build")) == []
    assert is_ignored(str(git.folder / "build"))
    assert not is_ignored(str(git.folder / "sub"))
    assert not is_ignored(str(git.folder))


def test_the_top_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path.resolve() / "top\n"
    Git(folder).write("sub/a", "x")
    assert top(str(folder / "sub")) == str(folder)


def test_outside_of_a_repository_git_says_no(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="not a git repository"):
        top(str(tmp_path))


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailed, match="git cannot be started"):
        files_of(str(tmp_path))


def test_git_has_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(source_git, "LIMIT_S", 0.2)
    with pytest.raises(GitFailed, match="took longer"):
        files_of(str(tmp_path))
