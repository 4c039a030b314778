"""Which files a folder is; what git says of them is tried with the command."""

from pathlib import Path

import pytest

from openai_gateway.leaks.sources.source_tree import Tree, near


def paths(here: Path, *named: str) -> list[str]:
    return [source.path for source in Tree(here).sources(map(Path, named))]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    here = tmp_path / "here"
    for name in ("a", "sub/b", "sub/deep/c", ".git/config", "sub/.git/x"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("12345")
    return here


def test_without_git_all_files_are_taken_but_git_s_own(here: Path) -> None:
    assert paths(here, ".") == ["a", "sub/b", "sub/deep/c"]
    assert paths(here, "sub/", "./sub/../sub/deep/c") == ["sub/b", "sub/deep/c"]


def test_where_git_says_no_for_another_reason_it_is_noted(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tree = Tree(here)
    assert len(tree.sources([Path("sub")])) == 2
    assert tree.notes == [
        "sub: all its files are taken: git cannot be started (No such file or directory)"
    ]


def test_sizes_and_paths_are_told(here: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("123")
    (here / "link").symlink_to("../outside")
    (source,) = Tree(here).sources([Path("link")])
    assert (source.path, source.size) == ("link", 3)
    assert source.file == str((tmp_path / "outside").resolve())
    (source,) = Tree(here).sources([Path("../outside")])
    assert source.path == str(tmp_path / "outside")


def test_a_path_is_told_as_one_would_write_it_here() -> None:
    assert near("/x/y/z", Path("/x")) == "y/z"
    assert near("/other/z", Path("/x")) == "/other/z"
    assert near("/xy/z", Path("/x")) == "/xy/z"
