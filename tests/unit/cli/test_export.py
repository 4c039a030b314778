"""What `openai-gateway export` writes, and that no cell of it is a formula."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import openai_gateway
from openai_gateway.accounting.schema import CALLS
from openai_gateway.cli.export import _cell, export
from tests.support.call_log import made_row, write

NOW = datetime.now(UTC)
MAIN = "from openai_gateway.cli.main import main; main()"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(export, arguments)


def test_csv_has_every_column_and_an_empty_cell_for_null(tmp_path: Path) -> None:
    old = made_row(NOW - timedelta(hours=2), cost_nano_usd=None, stream=True)
    write(tmp_path, [made_row(NOW, cost_nano_usd=7), old])
    head, first, second = csv.reader(io.StringIO(run("--format", "csv").stdout))
    assert head == [column.name for column in CALLS.c]
    made = dict(zip(head, first, strict=True))
    assert (made["id"], made["cost_nano_usd"], made["stream"]) == (old["id"], "", "true")
    assert made["started_at"].endswith("Z")
    assert dict(zip(head, second, strict=True))["cost_nano_usd"] == "7"


def test_jsonl_is_a_row_a_line_the_oldest_first(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW, id="b"), made_row(NOW - timedelta(hours=2), id="a")])
    made = [json.loads(line) for line in run("--format", "jsonl").stdout.splitlines()]
    assert [row["id"] for row in made] == ["a", "b"]
    assert (made[0]["trace"], made[0]["input_tokens"]) == ([], None)
    recent = run("--format", "jsonl", "--since", "1h").stdout.splitlines()
    assert [json.loads(line)["id"] for line in recent] == ["b"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_looks_like_a_formula_is_made_text(tmp_path: Path, begin: str) -> None:
    write(tmp_path, [made_row(NOW, model_requested=f"{begin}1+cmd|' /C calc'!A0", client="a=b")])
    head, row = csv.reader(io.StringIO(run("--format", "csv").stdout, newline=""))
    made = dict(zip(head, row, strict=True))
    assert made["model_requested"] == f"'{begin}1+cmd|' /C calc'!A0"
    assert made["client"] == "a=b"


@given(text=st.text())
def test_no_text_at_all_makes_a_formula(text: str) -> None:
    cell = _cell(text)
    assert cell in (text, f"'{text}")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_file_is_written_and_one_that_cannot_be_is_exit_1(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW, id="a")])
    assert run("--format", "jsonl", "--output", "x.jsonl").stdout == ""
    assert json.loads(Path("x.jsonl").read_text())["id"] == "a"
    result = run("--format", "csv", "--output", "no/such/folder.csv")
    assert result.exit_code == 1
    assert "--output cannot be written" in result.output


def test_without_a_log_no_file_is_made(tmp_path: Path) -> None:
    assert run("--format", "csv", "--output", "x.csv").exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--format", "xml"], ["--format", "csv", "--json"]])
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_reader_that_goes_ends_it_silently(tmp_path: Path, form: str) -> None:
    write(tmp_path, [made_row(NOW) for _ in range(2000)])
    package = str(Path(openai_gateway.__file__).parents[1])
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", MAIN, "export", "--format", form],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": package, "LC_ALL": "C"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


@pytest.mark.soak
def test_an_export_takes_no_memory_for_its_rows(tmp_path: Path) -> None:
    """A hundred thousand rows, 60 MB of them, in a process of the size of an empty one."""

    def peak() -> int:
        package = str(Path(openai_gateway.__file__).parents[1])
        arguments = ["export", "--format", "csv", "--output", "/dev/null"]
        # Not getrusage: Linux hands a child the peak of the process that started it.
        code = f"{MAIN[:-6]}\ntry: main({arguments!r})\nexcept SystemExit: "
        code += "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=90,
            env={**os.environ, "PYTHONPATH": package},
        )  # fmt: skip
        return int(done.stdout)

    write(tmp_path, [made_row(NOW) for _ in range(1000)])
    small = peak()
    write(tmp_path, [made_row(NOW, path="p" * 250) for _ in range(100_000)])
    assert peak() < small + 20_000
