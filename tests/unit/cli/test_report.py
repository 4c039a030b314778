"""What `openai-gateway report` prints, in how many columns, and with which exit code."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import openai_gateway
from openai_gateway.cli.report import MOST, report
from tests.support.call_log import made_row, write

NOW = datetime.now(UTC)
MAIN = "from openai_gateway.cli.main import main; main()"
KEY = "sk-proj-" + "FAKE" * 10


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(report, arguments)


def test_json_is_rows_and_a_total(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW, cost_nano_usd=3), made_row(NOW, cost_nano_usd=None)])
    result = run("--by", "key", "--json")
    made = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(made) == {"rows", "total"}
    (row,) = made["rows"]
    assert (row["key"], row["calls"], row["cost_nano_usd"]) == ("default", 2, 3)
    assert row["unpriced_calls"] == made["total"]["unpriced_calls"] == 1


def test_the_table_fits_80_columns_with_the_largest_numbers(tmp_path: Path) -> None:
    rows = [
        made_row(NOW, model_sent=f"{n}-" + "model" * 12, cost_nano_usd=10**16 + n,
                 total_tokens=10**14)
        for n in range(3)
    ]  # fmt: skip
    write(tmp_path, [*rows, made_row(NOW, model_sent="x", cost_nano_usd=None)])
    lines = run().stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-2].split() == ["total", "4", "300,000,000,000,000", "30,000,000.000000003*"]
    assert lines[-1] == "* 1 calls without a known cost, which are not in it"


def test_bars_are_the_share_of_cost(tmp_path: Path) -> None:
    rows = [("a", 75), ("b", 25), (None, 0)]
    write(tmp_path, [made_row(NOW, model_sent=m, cost_nano_usd=c) for m, c in rows])
    first, second, third = run().stdout.splitlines()[1:4]
    assert first.startswith("a ")
    assert first.endswith(" ██████    75%")
    assert second.endswith(" ██        25%")
    assert third.startswith("(none) ")
    assert third.endswith(" 0%")


def test_many_names_are_one_line_and_stay_in_the_total(tmp_path: Path) -> None:
    rows = [made_row(NOW, client=f"c{n}", cost_nano_usd=1) for n in range(MOST + 5)]
    write(tmp_path, rows)
    lines = run("--by", "client").stdout.splitlines()
    assert len(lines) == MOST + 3
    assert lines[-2].split()[:3] == ["(5", "more)", "5"]
    assert lines[-1].split() == ["total", str(MOST + 5), "0", f"0.0000000{MOST + 5}"]


def test_since_leaves_older_calls_out(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW), made_row(NOW - timedelta(hours=2))])
    made = json.loads(run("--since", "1h", "--json").stdout)
    assert made["total"]["calls"] == 1
    assert json.loads(run("--since", "999999999d", "--json").stdout)["total"]["calls"] == 2


def test_an_empty_log_says_so(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert run().stdout == "no calls\n"


@pytest.mark.parametrize("age", ["1", "h", "1w", "-1h", "1.5h", "", "1h ", "\u0661h", KEY])
def test_a_wrong_age_is_wrong_usage_and_is_not_repeated(age: str) -> None:
    result = run("--since", age)
    assert result.exit_code == 2
    assert "30s, 15m, 12h or 7d" in " ".join(result.output.split())
    assert KEY not in result.output


def test_no_log_is_exit_1_with_the_fix(tmp_path: Path) -> None:
    result = run()
    assert result.exit_code == 1
    assert "there is no call log yet" in result.output
    assert run("--config", "nowhere.yaml").exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["report"], ["report", "--json"]])
def test_a_reader_that_has_gone_ends_it_silently(tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path, [made_row(NOW, client=f"c{n}") for n in range(50)])
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", MAIN, *arguments, "--by", "client"],
        stdout=theirs, stderr=subprocess.PIPE, check=False, timeout=30,
        env={**os.environ, "PYTHONPATH": str(Path(openai_gateway.__file__).parents[1])},
    )  # fmt: skip
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_without_blocks_gets_plain_letters(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW, cost_nano_usd=1)])
    result = CliRunner(charset="latin-1").invoke(report)
    assert result.exit_code == 0
    assert "  ######## 100%" in result.stdout


def test_colour_is_for_terminals_that_want_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, [made_row(NOW)])
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1m" in CliRunner().invoke(report, color=True).stdout
    assert "\x1b" not in CliRunner().invoke(report).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(report, color=True).stdout
