"""What `openai-gateway config` prints, with which exit code, and what it never prints."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.config import config
from openai_gateway.config.describe import rows

PRODUCTION = "sk-proj-" + "FAKE" * 10
STAGING = "sk-proj-" + "EKAF" * 10
ENV = {
    "OPENAI_API_KEY_PRODUCTION": PRODUCTION,
    "OPENAI_API_KEY_STAGING": STAGING,
    "OPENAI_GATEWAY_CONFIG": None,
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **env: str | None) -> Result:
    result = CliRunner().invoke(config, arguments, env=ENV | env)
    assert "FAKEFAKE" not in result.output
    assert "EKAFEKAF" not in result.output
    return result


def test_a_file_without_faults_is_fine() -> None:
    Path("gateway.yaml").write_text("keys: {}\n")
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "gateway.yaml: fine (1 mapping, staging)\n")


def test_without_a_file_the_environment_is_checked() -> None:
    assert run("check").stdout == "environment: fine (1 mapping, staging)\n"
    missing = run("check", OPENAI_API_KEY_STAGING=None)
    assert missing.exit_code == 1
    assert missing.stdout.startswith("environment:1:1: OPENAI_API_KEY_STAGING: is not set; export")


def test_problems_go_to_stdout_one_a_line_with_exit_1() -> None:
    Path("a.yaml").write_text("keys: {}\nkey: 1\nleaks: {mode: on}\n")
    result = run("check", "--config", "a.yaml")
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first == "a.yaml:2:1: key: unknown field; did you mean `keys`?"
    assert second == "a.yaml:3:15: leaks.mode: `on` is not one of off, observe, enforce"


def test_problems_as_json_have_the_five_fields() -> None:
    Path("gateway.yaml").write_text("")
    result = run("check", "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)
    assert set(problem) == {"file", "line", "column", "path", "message"}
    assert (problem["file"], problem["line"], problem["column"]) == ("gateway.yaml", 1, 1)


def test_a_fine_file_as_json_is_an_empty_array() -> None:
    assert json.loads(run("check", "--json").stdout) == []


def test_warnings_go_to_stderr_and_do_not_fail() -> None:
    Path("gateway.yaml").write_text("keys: {}\npassthrough: ['*']\n")
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout == "gateway.yaml: fine (1 mapping, staging, 1 warning)\n"
    assert result.stderr.startswith("warning: gateway.yaml:2:15: passthrough.0: ")


def test_a_limit_that_can_never_decide_is_told_with_its_line() -> None:
    Path("gateway.yaml").write_text(
        "keys: {}\n"
        "limits:\n"
        "  rules:\n"
        "    - {name: all, rpm: 5}\n"
        "    - {name: late, rpm: 3, match: {model: 'gpt-5*'}}\n"
        "    - name: slip\n"
        "      tpm: 3\n"
        "      match: {key: nobody}\n"
    )
    result = run("check")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "warning: gateway.yaml:5:7: limits.rules.1: can never decide: all stands before it and "
        "names the same limits",
        "warning: gateway.yaml:6:7: limits.rules.2: can never match: no key that is known fits "
        "match.key",
    ]


def test_a_missing_file_fails_and_a_wrong_option_is_wrong_usage() -> None:
    assert run("check", "--config", "nowhere.yaml").exit_code == 1
    assert run("check", "--confg", "x").exit_code == 2
    assert run("explain", "keyz").exit_code == 2


def test_the_literal_key_in_a_file_is_not_printed() -> None:
    Path("gateway.yaml").write_text(
        f"keys: {{mappings: [{{staging: {STAGING}}}]}}\n{PRODUCTION}: 1\n"
    )
    for arguments in (("check",), ("check", "--json"), ("explain",), ("explain", "--json")):
        assert run(*arguments).output


def test_schema_is_json() -> None:
    printed = json.loads(run("schema").stdout)
    assert "keys" in printed["properties"]


def test_explain_tells_every_field_within_80_columns() -> None:
    text = run("explain").stdout
    for row in rows():
        assert f"\n{row.path}\n" in f"\n{text}"
    assert max(map(len, text.splitlines())) <= 80


def test_explain_tells_what_the_file_says_with_secrets_as_their_reference() -> None:
    Path("gateway.yaml").write_text("keys: {}\nupstream: {timeout_s: 7}\nmetrics: {token: env:T}\n")
    assert "now: 7\n" in run("explain", "upstream.timeout_s", T=STAGING).stdout
    assert "now: env:T\n" in run("explain", "metrics.token", T=STAGING).stdout
    (entry,) = json.loads(run("explain", "metrics.token", "--json", T=STAGING).stdout)
    assert entry["value"] == "env:T"


@pytest.mark.parametrize(
    "path", ["keys.mappings.name", "keys.mappings[].name", "keys.mappings.0.name"]
)
def test_explain_takes_a_path_with_or_without_indices(path: str) -> None:
    assert run("explain", path).stdout.startswith("keys.mappings[].name\n")


def test_explain_says_what_is_not_in_force() -> None:
    assert "not yet in force" in run("explain", "replay.mode").stdout
    assert "not yet in force" not in run("explain", "upstream").stdout


def test_explain_of_a_bad_file_still_tells_the_fields() -> None:
    Path("gateway.yaml").write_text("keys: {}\nx: 1\n")
    result = run("explain", "log.calls")
    assert result.exit_code == 0
    assert "default: all (production: errors)" in result.stdout
    assert "no values are shown: gateway.yaml:2:1" in result.stderr
