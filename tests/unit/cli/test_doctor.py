"""What `openai-gateway doctor` prints, in how many columns, and with which exit code."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.doctor import doctor
from openai_gateway.doctor.finding import Finding, Status
from openai_gateway.doctor.probes import ORDER
from tests.support.gateway_process import environment, free_port, fresh_keys

KEYS = fresh_keys()
FIXED = "openai_gateway.doctor.run.examine"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str, charset: str = "utf-8", **how: bool) -> Result:
    listen = f"127.0.0.1:{free_port()}"
    return CliRunner(charset=charset).invoke(doctor, ["--listen", listen, *arguments], **how)  # type: ignore[arg-type]


def finds(monkeypatch: pytest.MonkeyPatch, *statuses: Status) -> Sequence[Finding]:
    text = "what was seen " * 9 + "/a/path/that-must/stay-whole/ca-bundle.pem"
    found = [
        Finding(f"id{n}", status, text, "export A=b" * 30) for n, status in enumerate(statuses)
    ]
    monkeypatch.setattr(FIXED, lambda _: found)
    return found


def test_json_is_the_shape_of_the_checklist_with_every_id() -> None:
    result = run("--json", "--offline")
    made = json.loads(result.stdout)
    assert [one["id"] for one in made] == list(ORDER)
    assert {frozenset(one) for one in made} == {frozenset(("id", "status", "evidence", "fix"))}
    assert {one["status"] for one in made} <= {"pass", "warn", "fail", "unknown"}
    assert all(one["fix"] for one in made if one["status"] != "pass")


def test_without_any_set_up_it_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment(KEYS):
        monkeypatch.delenv(name, raising=False)
    result = run("--offline")
    assert result.exit_code == 1
    assert "export OPENAI_API_KEY_PRODUCTION=" in " ".join(result.stdout.split())
    assert "Traceback" not in result.output


def test_it_writes_nothing(tmp_path: Path) -> None:
    run("--offline")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statuses", "code"),
    [(["pass", "warn", "unknown"], 0), (["pass", "fail"], 1), (["warn"], 0), ([], 0)],
)
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_only_a_failure_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, statuses: list[Status], code: int, arguments: list[str]
) -> None:
    finds(monkeypatch, *statuses)
    assert run(*arguments).exit_code == code


def test_the_text_fits_80_columns_and_paths_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, "pass", "warn", "fail", "unknown")
    lines = run().stdout.splitlines()
    assert max(len(line) for line in lines if "export" not in line) <= 80
    assert "/a/path/that-must/stay-whole/ca-bundle.pem" in "\n".join(lines)
    assert [line[0] for line in lines if line[0] != " "][:4] == ["✓", "!", "✗", "?"]
    assert lines[-1] == "✓ 1 pass  ! 1 warn  ✗ 1 fail  ? 1 unknown"


def test_a_terminal_without_marks_gets_plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, "pass", "fail")
    lines = run(charset="latin-1").stdout.splitlines()
    assert lines[-1] == "+ 1 pass  x 1 fail"


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, "fail")
    assert "\x1b" not in run(color=True).stdout
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[31m" in run(color=True).stdout
    assert "\x1b" not in run().stdout


def test_a_key_in_place_of_an_address_is_wrong_usage_and_is_not_repeated() -> None:
    result = run("--listen", KEYS.production)
    assert (result.exit_code, KEYS.production in result.output) == (2, False)
