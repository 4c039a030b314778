"""What `openai-gateway calls` prints: the newest first, whole ids, within 80 columns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import openai_gateway
from openai_gateway.cli.calls import calls
from tests.support.call_log import made_row, write

NOW = datetime.now(UTC)
MAIN = "from openai_gateway.cli.main import main; main()"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(calls, arguments)


def started(*arguments: str) -> "subprocess.Popen[str]":
    package = str(Path(openai_gateway.__file__).parents[1])
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", MAIN, "calls", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": package},
    )  # fmt: skip


@pytest.fixture
def tail(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    """A tail that has begun: it shows the one row there was."""
    write(tmp_path, [made_row(NOW, id="gw_first")])
    with started("--tail", "--json", "--limit", "1") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == "gw_first"
        yield process
        process.kill()


def test_json_is_an_array_of_rows_the_newest_first(tmp_path: Path) -> None:
    made = [made_row(NOW + timedelta(seconds=n)) for n in range(3)]
    write(tmp_path, made)
    found = json.loads(run("--json", "--limit", "2").stdout)
    assert [row["id"] for row in found] == [made[2]["id"], made[1]["id"]]
    assert found[0]["trace"] == []
    assert json.loads(run("--json").stdout)[2]["id"] == made[0]["id"]


def test_fifty_are_shown_if_nobody_says_how_many(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW) for _ in range(51)])
    assert len(json.loads(run("--json").stdout)) == 50


def test_text_has_whole_ids_cost_or_the_reason_in_80_columns(tmp_path: Path) -> None:
    model = "gpt-" + "9" * 60
    rows = [
        made_row(NOW, cost_nano_usd=999_999_999_999, model_sent=model),
        made_row(NOW, cost_nano_usd=None),
        made_row(NOW, outcome="rejected_key", status=401, error_code="gateway_unknown_key"),
        made_row(NOW, status=500, error_code="server_error", model_requested=None, model_sent=None),
        made_row(NOW, error_code="gateway_upstream_broke_off_long"),
    ]
    write(tmp_path, rows)
    lines = run().stdout.splitlines()
    assert max(map(len, lines)) <= 80
    by_id = {row["id"]: next(line for line in lines if str(row["id"]) in line) for row in rows}
    ends = [by_id[row["id"]].split()[-1] for row in rows]
    assert ends == ["999.999999999", "-", "rejected_key", "server_error", "gateway_upst…"]
    assert by_id[rows[0]["id"]].startswith(NOW.strftime("%m-%d %H:%M:%S "))


def test_an_empty_log_says_so(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert run().stdout == "no calls\n"
    assert run("--json").stdout == "[]\n"


@pytest.mark.parametrize("arguments", [["--limit", "0"], ["--limit", "x"], ["--since", "x"]])
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_no_log_is_exit_1() -> None:
    assert run().exit_code == 1
    with started("--tail") as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "there is no call log yet" in errors


def test_a_tail_prints_each_new_row_on_a_line(
    tmp_path: Path, tail: "subprocess.Popen[str]"
) -> None:
    assert tail.stdout is not None
    for name in ("gw_second", "gw_third"):
        write(tmp_path, [made_row(NOW - timedelta(hours=1), id=name)])
        assert json.loads(tail.stdout.readline())["id"] == name


def test_a_tail_ends_quietly_when_it_is_interrupted(tail: "subprocess.Popen[str]") -> None:
    tail.send_signal(2)
    _, errors = tail.communicate(timeout=20)
    assert (tail.returncode, errors) == (0, "")


def test_a_tail_ends_quietly_when_its_reader_goes(
    tmp_path: Path, tail: "subprocess.Popen[str]"
) -> None:
    assert tail.stdout is not None
    assert tail.stderr is not None
    tail.stdout.close()
    write(tmp_path, [made_row(NOW)])
    assert tail.wait(20) == 0
    assert tail.stderr.read() == ""
