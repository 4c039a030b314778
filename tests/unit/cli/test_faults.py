"""What `openai-gateway faults` tells: the rules, which are active, and how often each fired."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.faults import faults
from tests.support.call_log import made_row, write

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SHAPE = """\
shape:
  mode: {mode}
  faults:
    - {{name: busy, fault: rate_limit, probability: 0.05, match: {{model: "gpt-6*"}}}}
    - {{name: never, fault: reset, probability: 0}}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(faults, arguments)


def configured(tmp_path: Path, mode: str = "enforce") -> None:
    """No key is set in this shell, and none is needed."""
    (tmp_path / "gateway.yaml").write_text(SHAPE.format(mode=mode))


def test_json_lists_rules_in_their_order_then_those_of_the_log_alone(tmp_path: Path) -> None:
    configured(tmp_path)
    rows = [
        made_row(NOW, fault="busy"),
        made_row(NOW - timedelta(hours=1), fault="busy"),
        made_row(NOW, fault="former"),
        made_row(NOW),
    ]
    write(tmp_path, rows)
    result = run("--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {
            "name": "busy", "fault": "rate_limit", "probability": 0.05,
            "match": {"model": ["gpt-6*"]}, "active": True, "fired": 2,
            "last_fired_at": "2026-11-24T12:00:00+00:00",
        },
        {
            "name": "never", "fault": "reset", "probability": 0.0, "match": {},
            "active": False, "fired": 0, "last_fired_at": None,
        },
        {
            "name": "former", "fault": None, "probability": None, "match": {},
            "active": False, "fired": 1, "last_fired_at": "2026-11-24T12:00:00+00:00",
        },
    ]  # fmt: skip


def test_the_table_fits_80_columns(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(
        SHAPE.format(mode="observe") + f"    - {{name: {'n' * 40}, fault: server_error, "
        f"match: {{model: [{', '.join(['gpt-6-luna'] * 9)}]}}}}\n"
    )
    write(tmp_path, [made_row(NOW, fault="busy")])
    lines = run().stdout.splitlines()
    assert lines[0] == "shape.mode: observe (hits are counted, nothing fails)"
    assert max(map(len, lines)) <= 80
    assert lines[1] == " " * 18 + "fault          share    fired  last (UTC)      match"
    assert (
        lines[2] == "busy              rate_limit      0.05        1  11-24 12:00:00  model=gpt-6*"
    )


def test_only_enforced_rules_are_active(tmp_path: Path) -> None:
    configured(tmp_path, "observe")
    write(tmp_path, [])
    assert [row["active"] for row in json.loads(run("--json").stdout)] == [False, False]


def test_since_leaves_older_ones_out(tmp_path: Path) -> None:
    configured(tmp_path)
    now = datetime.now(UTC)
    write(tmp_path, [made_row(now, fault="busy"), made_row(now - timedelta(2), fault="busy")])
    assert json.loads(run("--since", "1h", "--json").stdout)[0]["fired"] == 1


def test_a_bad_rule_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("shape:\n  faults: [{fault: tiemout}]\n")
    write(tmp_path, [])
    result = run()
    assert result.exit_code == 1
    assert "gateway.yaml:2:20: shape.faults.0.fault" in result.output


def test_without_faults_it_says_so(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert run().stdout.splitlines() == ["shape.mode: off (nothing fails)", "no faults"]
