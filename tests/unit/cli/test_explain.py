"""What `openai-gateway explain` tells of one call."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.explain import explain
from tests.support.call_log import made_row, write

KEY = "sk-proj-" + "FAKE" * 10
LONG = "x" * 64
TRACE = json.dumps(
    [
        {"stage": "route", "verdict": "pass", "us": 7},
        {"stage": "keys.identify", "verdict": f"pass: {LONG}"[:64], "us": 1_234_567},
    ]
)
CALL = {
    "id": "gw_1", "trace": TRACE, "usage_source": "reported", "cost_nano_usd": 1_558_500,
    "input_tokens": 2006, "cached_input_tokens": 1920, "output_tokens": 300, "total_tokens": 2306,
    "reasoning_tokens": 128, "cache_write_tokens": 0, "audio_input_tokens": 0,
    "audio_output_tokens": 0, "image_input_tokens": 0, "image_output_tokens": 0,
    "model_sent": "gpt-5.4-mini", "model_response": "gpt-5.4-mini", "ttft_ms": 12.34,
    "path": "/v1/" + "p" * 250, "client": LONG, "key": LONG, "sdk": LONG, "error_code": LONG,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(explain, arguments)


def test_json_is_the_row_with_its_trace_and_its_price(tmp_path: Path) -> None:
    write(tmp_path, [made_row(**CALL), made_row()])
    made = json.loads(run("gw_1", "--json").stdout)
    assert (made["id"], made["cost_nano_usd"]) == ("gw_1", 1_558_500)
    assert made["trace"] == json.loads(TRACE)
    assert made["price"]["nano_usd"] == 1_558_500
    assert [line["kind"] for line in made["price"]["lines"]] == [
        "input", "cached_input", "output", "reasoning",
    ]  # fmt: skip


def test_text_tells_stages_tokens_and_the_price_line_by_line(tmp_path: Path) -> None:
    write(tmp_path, [made_row(**CALL)])
    result = run("gw_1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    words = [line.split() for line in lines]
    assert ["route", "pass", "7"] in words
    assert ["cached", "input", "1,920"] in words
    assert ["input", "86", "0.75", "/1M", "0.0000645"] in words
    assert ["output", "172", "4.5", "/1M", "0.000774"] in words
    assert ["sum,", "rounded", "once", "0.001558500"] in words
    assert ["logged", "cost", "0.001558500"] in words
    assert any(line.startswith("  keys.identify") and line.endswith("1,234,567") for line in lines)
    assert any("first token 12.3" in line for line in lines)


def test_a_price_by_the_piece_is_told_by_the_piece(tmp_path: Path) -> None:
    write(tmp_path, [made_row(**{**CALL, "billed_units": '{"web_search": 2}'})])
    words = [line.split() for line in run("gw_1").stdout.splitlines()]
    assert ["web_search", "2", "0.01", "0.02"] in words
    assert ["logged", "cost", "0.001558500"] in words


def test_a_refused_call_has_stages_and_no_tokens(tmp_path: Path) -> None:
    write(tmp_path, [made_row(id="gw_2", trace=TRACE, status=401, outcome="rejected_key")])
    text = run("gw_2").stdout
    assert "rejected_key, status 401" in text
    assert "keys.identify" in text
    assert "tokens" not in text
    assert [line.split() for line in text.splitlines()[-2:]] == [
        ["logged", "cost", "0.000000000"],
        ["-", "nothing", "was", "used", "that", "has", "a", "price"],
    ]


def test_an_unknown_id_is_exit_1_and_is_not_repeated(tmp_path: Path) -> None:
    write(tmp_path, [made_row()])
    result = run(KEY)
    assert result.exit_code == 1
    assert "no call with this id" in result.output
    assert KEY not in result.output


def test_no_log_is_exit_1_and_no_id_is_exit_2() -> None:
    assert run("gw_1").exit_code == 1
    assert run().exit_code == 2
