"""What `openai-gateway budgets` prints and changes, in how many columns, with which exit code."""

import json
import os
import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openai_gateway.accounting.table import CallsTable
from openai_gateway.budgets.period import span_at
from openai_gateway.cli.budgets import budgets
from openai_gateway.core.clock import SystemClock
from tests.budgets.rig import USD
from tests.support.call_log import DATABASE, write

CONFIG = """\
keys: {}
budgets:
  - {name: team, usd: 50, period: total, webhook: env:NOT_SET_HERE}
  - {name: all-that-may-be-spent-by-everybody-on-whatever-model-it-is, usd: 1e9, period: month,
     timezone: America/Argentina/ComodRivadavia, hard: false, reserve: worst,
     alert_at: [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75]}
"""
KEY = "sk-proj-" + "FAKE" * 10
LONG = "all-that-may-be-spent-by-everybody-on-whatever-model-it-is"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a gateway.yaml and a call log, in which `team` has spent 30.50 USD."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_GATEWAY_CONFIG", "NOT_SET_HERE", "OPENAI_API_KEY_PRODUCTION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    write(tmp_path, [])
    spend(tmp_path, "team", "total", 0, 30_500_000_000, "0.5")
    return tmp_path


def spend(root: Path, budget: str, period: str, start: int, nano_usd: int, told: str) -> None:
    at = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(root / "var/calls.db")) as database:
        row = (budget, period, at, "0" * 16, nano_usd, told)
        database.execute("INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?)", row)
        database.commit()


@pytest.fixture
def table(folder: Path) -> Iterator[CallsTable]:
    made = CallsTable(DATABASE, folder)
    yield made
    made.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(budgets, arguments)


def team() -> dict[str, object]:
    found: list[dict[str, object]] = json.loads(run("--json").stdout)
    return found[0]


def test_each_number_is_that_of_the_table() -> None:
    """61 % of 50 USD; what calls under way hold is in the memory of another process."""
    result = run("--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0] == {
        "name": "team",
        "environment": "staging",
        "period": "total",
        "timezone": "UTC",
        "limit_nano_usd": 50 * USD,
        "configured_nano_usd": 50 * USD,
        "override": None,
        "spent_nano_usd": 30_500_000_000,
        "reserved_nano_usd": None,
        "remaining_nano_usd": 19_500_000_000,
        "percent": 61.0,
        "started_at": None,
        "resets_at": None,
        "forecast_nano_usd": None,
        "alert_at": [0.5, 0.8, 0.95, 1.0],
        "alerts_sent": [0.5],
        "hard": True,
        "reserve": "expected",
    }


def test_the_text_says_the_same() -> None:
    lines = run().stdout.splitlines()
    assert lines[:8] == [
        "team  total, UTC; hard, reserves expected",
        "  limit      $50.00",
        "  spent      $30.50  61.0 %  ████████████",
        "  reserved   -",
        "  remaining  $19.50",
        "  resets     never",
        "  forecast   -  (has no end)",
        "  alerts     sent at 0.5; to come at 0.8, 0.95, 1.0",
    ]
    assert lines[-1].startswith("reserved: known to the running gateway alone")


def test_the_largest_numbers_and_names_fit_80_columns(folder: Path, table: CallsTable) -> None:
    start = span_at("month", "America/Argentina/ComodRivadavia", SystemClock().now()).start
    spend(folder, LONG, "month", start, 987_654_321_123_456_789, "0.1 0.15")
    later = SystemClock().now() + 3600
    table.override((LONG, 10**18 + 1, later, "somebody-with-a-long-name" * 3, later - 3600))
    for arguments in ([], ["--changes"]):
        lines = run(*arguments).stdout.splitlines()
        assert max(map(len, lines)) <= 80, lines
    assert "987654321.123456789" in run().stdout


def test_more_than_all_is_told_and_nothing_is_left(folder: Path) -> None:
    spend(folder, "team", "day", 0, 99 * USD, "")  # of another period: not counted
    with closing(sqlite3.connect(folder / "var/calls.db")) as database:
        database.execute("UPDATE spend SET spent_nano_usd = 49999999999 WHERE period = 'total'")
        database.commit()
        assert team()["percent"] == 99.9
        database.execute("UPDATE spend SET spent_nano_usd = 55000000000 WHERE period = 'total'")
        database.commit()
    assert (team()["percent"], team()["remaining_nano_usd"]) == (110.0, 0)


def test_a_raise_holds_and_is_noted_and_can_be_ended() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    result = run("raise", "team", "--to", "80.25", "--until", "2h")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("team: from $50.00 to $80.25 until ")
    assert "within 4 s" in result.stdout
    now = team()
    assert now["limit_nano_usd"] == 80_250_000_000
    assert now["configured_nano_usd"] == 50 * USD
    assert now["remaining_nano_usd"] == 49_750_000_000
    override = now["override"]
    assert isinstance(override, dict)
    until = datetime.fromisoformat(override["until"])
    assert timedelta(0) <= until - before - timedelta(hours=2) < timedelta(seconds=30)
    text = run().stdout
    assert "  limit      $80.25, raised from $50.00\n" in text
    assert f"  until      {override['until']}, by {_me()}\n" in text

    assert run("raise", "team", "--end").stdout.startswith(
        "team: from $80.25 to $50.00 from now on"
    )
    assert (team()["limit_nano_usd"], team()["override"]) == (50 * USD, None)

    ended, raised = json.loads(run("--changes", "--json").stdout)
    assert (raised["budget"], raised["command"], raised["by"]) == ("team", "raise", _me())
    assert (raised["from_nano_usd"], raised["to_nano_usd"]) == (50 * USD, 80_250_000_000)
    assert raised["until"] == override["until"]
    assert (ended["command"], ended["from_nano_usd"]) == ("end", 80_250_000_000)
    first, second, third, fourth = run("--changes").stdout.splitlines()
    assert (first, third) == (
        f"{ended['at']}  team, by {_me()}",
        f"{raised['at']}  team, by {_me()}",
    )
    assert second == "  from $80.25 to $50.00, ended early"
    assert fourth == f"  from $50.00 to $80.25, until {override['until']}"


def _me() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["taem", "--to", "60", "--until", "2h"], "did you mean `team`?"),
        ([KEY, "--to", "60", "--until", "2h"], "gateway.yaml has team, all-that"),
        (["team", "--to", "50", "--until", "2h"], "must be above the budget's own $50.00"),
        (["team", "--to", "0", "--until", "2h"], "must be above"),
        (["team", "--to", "-5", "--until", "2h"], "must be a number"),
        (["team", "--to", KEY, "--until", "2h"], "must be a number"),
        (["team", "--to", "60", "--until", KEY], "is no time; write it as"),
        (["team", "--to", "60", "--until", "2020-01-01T00:00:00Z"], "has passed"),
        (["team", "--to", "60", "--until", "367d"], "more than 366 days away"),
        (["team", "--to", "60"], "give --to and --until, or --end alone"),
        (["team", "--until", "2h"], "give --to and --until, or --end alone"),
        (["team"], "give --to and --until, or --end alone"),
        (["team", "--end", "--to", "60"], "give --to and --until, or --end alone"),
        (["team", "--end"], "team is not raised; its own $50.00 hold"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_says_why_and_changes_nothing(arguments: list[str], why: str) -> None:
    result = run("raise", *arguments)
    assert result.exit_code == 2
    assert why in " ".join(result.output.split())
    assert KEY not in result.output
    assert json.loads(run("--changes", "--json").stdout) == []


def test_what_gateways_cannot_be_told_of_is_not_changed(folder: Path) -> None:
    text = CONFIG + "limits: {store: 'redis://127.0.0.1:1/0'}\n"
    (folder / "gateway.yaml").write_text(text)
    result = run("raise", "team", "--to", "60", "--until", "2h")
    assert result.exit_code == 1
    assert "does not answer; nothing was changed" in result.output
    assert json.loads(run("--changes", "--json").stdout) == []
    told = run()
    assert told.exit_code == 0
    assert "$30.50" in told.stdout
    assert "note: the store of limits.store does not answer" in told.stderr


def test_a_store_that_this_shell_cannot_name_is_told(folder: Path) -> None:
    (folder / "gateway.yaml").write_text(CONFIG + "limits: {store: env:NOT_SET_HERE}\n")
    told = run("--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)[0]["reserved_nano_usd"] is None
    assert "limits.store: NOT_SET_HERE is not set" in told.stderr
    assert run("raise", "team", "--to", "60", "--until", "2h").exit_code == 1


def test_a_log_that_is_locked_changes_nothing_and_says_so(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "var/calls.db")) as database:
        database.execute("BEGIN IMMEDIATE")
        result = run("raise", "team", "--to", "60", "--until", "2h")
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert "nothing was changed" in result.output


def test_a_fault_in_a_budget_is_told_with_its_place(folder: Path) -> None:
    (folder / "gateway.yaml").write_text("keys: 5\nbudgets: [{name: a, usd: 0, period: day}]\n")
    result = run()
    assert result.exit_code == 1
    assert "gateway.yaml:2:26: budgets.0.usd: must be more than 0" in result.output


@pytest.mark.parametrize("text", ["keys: {}\n", None])
def test_without_budgets_it_says_so(folder: Path, text: str | None) -> None:
    path = folder / "gateway.yaml"
    path.unlink() if text is None else path.write_text(text)
    assert (run().stdout, run("--json").stdout) == ("no budgets\n", "[]\n")
    assert run("raise", "team", "--to", "60", "--until", "2h").exit_code == 2
    assert run("--changes").stdout == "no changes\n"


def test_without_a_log_it_says_what_makes_one(folder: Path) -> None:
    (folder / "var/calls.db").unlink()
    for arguments in ([], ["--changes"], ["raise", "team", "--to", "60", "--until", "2h"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "there is no call log yet" in result.output
    assert not (folder / "var/calls.db").exists()


def test_config_may_stand_before_or_after_raise(folder: Path) -> None:
    (folder / "gateway.yaml").rename(folder / "other.yaml")
    assert (
        run("--config", "other.yaml", "raise", "team", "--to", "60", "--until", "2h").exit_code == 0
    )
    assert run("raise", "team", "--end", "--config", "other.yaml").exit_code == 0
