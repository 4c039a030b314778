"""Rule files put together: each by its suffix, a later rule in the place of an earlier one."""

from pathlib import Path

import pytest

from openai_gateway.leaks.rules.rule_file import RuleFileError
from openai_gateway.leaks.rules.rule_set import load, read

OWN = """
rules:
  - {id: one, pattern: 'one_[a-z0-9]{20}', matches: ['one_{lownum:20}'], severity: low}
  - {id: two, pattern: 'two_[a-z0-9]{20}', matches: ['two_{lownum:20}']}
"""
GITLEAKS = """
[[rules]]
id = "one"
description = "Taken from elsewhere"
regex = '''one_([a-z0-9]{24})'''
keywords = ["ONE_"]
[[rules]]
id = "by-path"
path = '''\\.pem$'''
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "own.yaml").write_text(OWN)
    (tmp_path / "gitleaks.toml").write_text(GITLEAKS)
    return [tmp_path / "own.yaml", tmp_path / "gitleaks.toml"]


def test_a_later_file_s_rule_takes_the_place_of_an_earlier_one(files: list[Path]) -> None:
    assert [(rule.id, rule.title) for rule in load(files)] == [
        ("one", "Taken from elsewhere"),
        ("two", "two"),
    ]
    assert [rule.title for rule in load(files[::-1])] == ["one", "two"]


def test_it_is_told_where_a_rule_is_from_and_what_was_left_out(files: list[Path]) -> None:
    found = read(files)
    assert found.files == {"one": files[1], "two": files[0]}
    (note,) = found.notes
    assert (note.line, note.path) == (8, "rules.by-path")


def test_the_faults_of_all_files_are_told_at_once(files: list[Path], tmp_path: Path) -> None:
    files[0].write_text("rules: []")
    files[1].write_text("[[rules")
    with pytest.raises(RuleFileError) as caught:
        load([*files, tmp_path / "none.yaml"])
    assert {Path(fault.file).name for fault in caught.value.faults} == {
        "own.yaml",
        "gitleaks.toml",
        "none.yaml",
    }


def test_no_files_are_no_rules() -> None:
    assert load([]) == ()
