"""What `openai-gateway rules check` prints, with which exit code, and which files it takes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.rules import rule_paths, rules

GOOD = """
rules:
  - id: made-token
    pattern: 'made_[a-z0-9]{30}'
    keywords: [made_]
    matches: ['made_{lownum:30}']
    ignores: ['made_short', 'made_{lownum:31}']
  - id: other-token
    pattern: 'other_[a-z0-9]{30}'
    matches: ['other_{lownum:30}']
"""
BAD = GOOD.replace("{lownum:30}']\n    ignores", "{lownum:29}']\n    ignores").replace(
    "other-token", "Other"
)
GITLEAKS = """
[[rules]]
id = "taken"
regex = '''taken_[a-z]{20}'''
[[rules]]
id = "by-path"
path = '''pem$'''
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(BAD)
    Path("gitleaks.toml").write_text(GITLEAKS)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(rules, ["check", *arguments], env={"OPENAI_GATEWAY_CONFIG": None})
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if "fine" not in line)
    return result


def test_a_file_that_holds_is_a_table(tmp_path: Path) -> None:
    result = run("good.yaml")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "rule         matches  ignores",
        "made-token      1 ok     2 ok",
        "other-token     1 ok        -",
        "good.yaml: fine (2 rules, 4 examples, hyperscan)",
    ]
    assert run(str(tmp_path / "good.yaml")).exit_code == 0


def test_faults_are_all_that_is_said_of_a_bad_file() -> None:
    result = run("bad.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "bad.yaml:6:15: rules.0.matches.0: is not found",
        "bad.yaml:8:9: rules.1.id: must be kebab-case (a-z, 0-9, -), at most 64 letters",
        "2 faults",
    ]


def test_an_example_that_holds_by_luck_is_a_fault() -> None:
    lucky = GOOD.replace("'other_[a-z0-9]{30}'", "'other_[a-f0-9][a-z0-9]{29}'")
    Path("lucky.yaml").write_text(lucky)
    result = run("lucky.yaml")
    assert result.exit_code == 1
    assert "rules.1.matches.0: is not found\n1 fault\n" in result.stdout


def test_json_tells_the_same() -> None:
    told = json.loads(run("good.yaml", "--json").stdout)
    assert told["rules"][0] == {
        "id": "made-token",
        "file": "good.yaml",
        "matches": {"ok": 1, "of": 1},
        "ignores": {"ok": 2, "of": 2},
    }
    assert (told["faults"], told["notes"]) == ([], [])
    bad = run("bad.yaml", "--json")
    assert bad.exit_code == 1
    faults = json.loads(bad.stdout)["faults"]
    assert set(faults[0]) == {"file", "line", "column", "path", "message"}
    assert [fault["line"] for fault in faults] == [6, 8]


def test_what_a_gitleaks_file_cannot_bring_is_noted_and_no_fault() -> None:
    result = run("gitleaks.toml")
    assert (result.exit_code, result.stderr) == (
        0,
        "note: gitleaks.toml:6:1: rules.by-path: is left out: it looks at paths alone, and a call"
        " has none\n",
    )
    assert "taken        -        -" in result.stdout
    assert json.loads(run("gitleaks.toml", "--json").stdout)["notes"][0]["line"] == 6


def test_without_a_file_those_that_the_configuration_names_are_tried() -> None:
    Path("gateway.yaml").write_text("leaks: {rules: [good.yaml, gitleaks.toml]}\n")
    result = run()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("good.yaml, gitleaks.toml: fine (3 rules, ")


def test_the_configuration_s_other_faults_and_keys_do_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "own.yaml").write_text(GOOD)
    (folder / "gateway.yaml").write_text("keys: {mappings: 5}\nleaks: {rules: [own.yaml]}\n")
    assert run("--config", "elsewhere/gateway.yaml").exit_code == 0
    assert rule_paths("elsewhere/gateway.yaml") == [Path("elsewhere/own.yaml")]


def test_without_a_configuration_the_shipped_rules_are_meant() -> None:
    (path,) = rule_paths(None)
    assert path.parts[-2:] == ("rules", "secrets.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("leaks: [", "is no YAML; `openai-gateway config check` tells where"),
        ("leaks: {rules: 5}", "leaks.rules: must be a list"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_told(text: str, said: str) -> None:
    Path("gateway.yaml").write_text(text)
    result = run()
    assert result.exit_code == 1
    assert said in result.stderr


def test_what_is_not_there_fails_and_what_is_no_rule_file_is_wrong_usage() -> None:
    assert run("none.yaml").exit_code == 1
    assert run("--config", "none.yaml").exit_code == 1
    assert run("good.txt").exit_code == 2
    assert run("--nonsense").exit_code == 2
