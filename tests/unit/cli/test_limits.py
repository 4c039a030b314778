"""What `openai-gateway limits simulate` prints, in how many columns, and with which exit code."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.export import export
from openai_gateway.cli.limits import limits
from tests.support.call_log import NOW, made_row, write

USED = {"input_tokens": 10, "output_tokens": 5, "usage_source": "reported"}
FIVE = [0.0, 0.2, 0.4, 0.6, 0.8]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(limits, ["simulate", *arguments])


def logged(tmp_path: Path, times: list[float], **values: Any) -> Path:
    rows = [
        made_row(
            NOW + timedelta(seconds=at), id=f"gw_{n}", model_sent="gpt-5-mini", **USED | values
        )
        for n, at in enumerate(times)
    ]
    return write(tmp_path, rows)


def told(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert isinstance(made, dict)
    return made


def test_the_table_and_the_sentence(tmp_path: Path) -> None:
    logged(tmp_path, FIVE)
    result = run("--rule", "rpm=3,tpm=1000,per=model")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "                limit  calls  refused  share   wait  peak  first 429",
        "gpt-5-mini      3 RPM      5        2  40.0%  19.4s  100%   12:00:00",
        "gpt-5-mini  1,000 TPM      5        0     0%      -   27%          -",
        "total                      5        2  40.0%                12:00:00",
        "By rule rpm=3,tpm=1000,per=model, 2 of 5 calls (40.0%) would have met a 429; the",
        "first at 2026-11-24 12:00:00 UTC for gpt-5-mini RPM.",
    ]


def test_json_is_rows_and_a_total(tmp_path: Path) -> None:
    logged(tmp_path, FIVE)
    made = told("--rule", "rpm=3,name=mine", "--calls")
    assert made == {
        "limits": "rule rpm=3,name=mine", "on_limit": "reject", "max_wait_s": None, "scale": 1.0,
        "from": "2026-11-24T12:00:00.000000Z", "until": "2026-11-24T12:00:00.800000Z",
        "rows": [
            {
                "limit": "rpm", "amount": 3, "rule": "mine", "per": {}, "calls": 5, "refused": 2,
                "too_large": 0, "delayed": 0, "share": 0.4, "longest_wait_s": 19.4,
                "peak_percent": 99.33, "first_refusal_at": "2026-11-24T12:00:00.600000Z",
            }
        ],
        "total": {
            "limits": 1, "calls": 5, "refused": 2, "delayed": 0, "share": 0.4,
            "longest_delay_s": 0.0, "first_refusal_at": "2026-11-24T12:00:00.600000Z",
        },
        "unlimited": [], "unlisted": [], "skipped": {"handshakes": 0, "stopped": 0}, "set_back": 0,
        "calls": [
            {
                "id": f"gw_{n}", "at": f"2026-11-24T12:00:00.{2 * n}00000Z",
                "key": "default", "model": "gpt-5-mini", "client": "ci", "endpoint": "chat.create",
                "action": "rejected", "limit": "rpm", "rule": "mine", "wait_s": wait,
            }
            for n, wait in ((3, 19.4), (4, 19.2))
        ],
    }  # fmt: skip


def test_calls_are_listed_with_what_they_would_have_been_told(tmp_path: Path) -> None:
    logged(tmp_path, FIVE)
    lines = run("--rule", "rpm=3", "--calls", "--top", "1").stdout.splitlines()
    at = lines.index("")
    assert lines[at + 1].split() == ["call", "UTC", "model", "limit"]
    assert lines[at + 2].split() == [
        "gw_3", "11-24", "12:00:00", "gpt-5-mini", "RPM", "try", "in", "19.4s",
    ]  # fmt: skip
    assert lines[at + 3] == "  and 1 calls more; --top N shows them"
    large = run("--rule", "tpm=20", "--calls").stdout
    assert "too large" in large


def test_calls_that_wait(tmp_path: Path) -> None:
    """The fourth waits 19.4 s. The fifth came 0.2 s later, and would wait 20 s more than it may."""
    logged(tmp_path, FIVE)
    result = run("--rule", "rpm=3", "--on-limit", "wait", "--max-wait", "30s", "--calls")
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "limit", "calls", "refused", "delayed", "share", "wait", "peak", "first", "429",
    ]  # fmt: skip
    assert lines[1].split()[1:] == ["3", "RPM", "5", "1", "1", "40.0%", "20s", "100%", "12:00:00"]
    assert any(line.endswith("waits 19.4s") for line in lines)
    assert " ".join(lines[-2:]).endswith(
        "for rule-1 RPM; 1 would have waited, 19.4s at the longest."
    )
    assert told("--rule", "rpm=3", "--on-limit", "wait", "--max-wait", "5m")["total"] == {
        "limits": 1, "calls": 5, "refused": 0, "delayed": 2, "share": 0.4,
        "longest_delay_s": 39.2, "first_refusal_at": None,
    }  # fmt: skip


def test_twice_the_traffic(tmp_path: Path) -> None:
    logged(tmp_path, [20.0 * n for n in range(9)])
    assert told("--rule", "rpm=3")["total"]["refused"] == 0
    # 0.5 is missing each time: 2.5 of 3 are used when the sixth comes
    made = told("--rule", "rpm=3", "--scale", "2")
    assert (made["total"]["refused"], made["scale"]) == (2, 2.0)
    assert "gaps between calls divided by 2" in run("--rule", "rpm=3", "--scale", "2").stdout


def test_a_tier_is_openais_own_and_what_it_does_not_list_is_told(tmp_path: Path) -> None:
    rows = [made_row(NOW, id=f"gw_{n}", model_sent="text-moderation-x", **USED) for n in range(3)]
    write(tmp_path, [*rows, made_row(NOW, model_sent="gpt-5-mini", **USED)])
    made = told("--tier", "3")
    assert made["limits"] == "tier 3"
    amounts = {(row["per"]["model"], row["limit"]): row["amount"] for row in made["rows"]}
    assert amounts == {
        ("gpt-5-mini", "rpm"): 5000,
        ("gpt-5-mini", "tpm"): 4_000_000,
        ("text-moderation-x", "rpm"): 3000,
        ("text-moderation-x", "tpm"): 250_000,
    }
    assert made["unlisted"] == [{"model": "text-moderation-x", "calls": 3}]
    text = run("--tier", "3").stdout
    assert "held to its default: text-moderation-x (3)" in text
    assert "At tier 3, none of 4 calls would have met a 429; the nearest was" in text


def test_a_profile_and_models_that_it_does_not_know(tmp_path: Path) -> None:
    logged(tmp_path, FIVE)
    Path("learned.yaml").write_text("limits: {gpt-5-mini: {rpm: 2}}\n")
    assert told("--profile", "learned.yaml")["total"]["refused"] == 3
    Path("other.yaml").write_text("limits: {gpt-5: {rpm: 2}}\n")
    made = told("--profile", "other.yaml")
    assert made["unlimited"] == [{"model": "gpt-5-mini", "calls": 5}]
    assert "no limit known: gpt-5-mini (5)" in run("--profile", "other.yaml").stdout


def test_the_limits_of_a_configuration_hold_where_none_are_named(tmp_path: Path) -> None:
    logged(tmp_path, FIVE)
    Path("gateway.yaml").write_text(
        "keys: {mappings: []}\nlimits:\n  store: env:NOT_SET\n  on_limit: wait\n  max_wait_s: 1\n"
        "  rules: [{name: few, rpm: 4}]\n"
    )
    made = told()
    assert (made["limits"], made["on_limit"], made["max_wait_s"]) == ("gateway.yaml", "wait", 1.0)
    assert made["total"]["refused"] == 1
    assert told("--on-limit", "reject", "--rule", "rpm=1")["total"]["refused"] == 4


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    rows = [
        made_row(NOW, status=101, method="GET"),
        made_row(NOW, status=403, outcome="blocked"),
        made_row(NOW, **USED),
    ]
    write(tmp_path, rows)
    made = told("--rule", "rpm=1")
    assert (made["total"]["calls"], made["skipped"]) == (1, {"handshakes": 1, "stopped": 1})
    text = run("--rule", "rpm=1").stdout
    assert "left out: 1 WebSocket handshakes, 1 calls refused for what they were" in text


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_is_simulated_like_its_log(tmp_path: Path, form: str) -> None:
    path = logged(tmp_path, FIVE)
    done = CliRunner().invoke(export, ["--format", form, "--output", f"calls.{form}"])
    assert done.exit_code == 0
    told_by_log = told("--rule", "rpm=3", "--calls", "--from", str(path))
    assert told("--rule", "rpm=3", "--calls", "--from", f"calls.{form}") == told_by_log
    assert told("--rule", "rpm=3", "--calls") == told_by_log


def test_an_empty_log_says_so(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert run("--tier", "1").stdout == "no calls\n"
    made = told("--tier", "1")
    assert (made["rows"], made["from"], made["total"]["share"]) == ([], None, 0.0)


def test_since_leaves_older_calls_out(tmp_path: Path) -> None:
    logged(tmp_path, FIVE)
    assert told("--tier", "1", "--since", "36500d")["total"]["calls"] == 5


def test_the_table_fits_80_columns_with_long_names_and_large_numbers() -> None:
    import click

    from openai_gateway.cli.limits_given import given
    from openai_gateway.cli.limits_output import tell
    from openai_gateway.cli.limits_told import Told
    from openai_gateway.limits.gauge import Tally
    from openai_gateway.limits.limit import Limit
    from openai_gateway.limits.simulate import Terms
    from openai_gateway.limits.simulated import Simulated
    from openai_gateway.readiness.arrivals import Skipped

    tally = Tally(Limit("concurrency", 1_234_567, "rule:x|key=k|model=" + "m" * 60, "x"))
    tally.calls = tally.refused = tally.delayed = 123_456_789
    tally.longest_s, tally.first_us = 86_400.0, 1_795_521_600_000_000
    found = Simulated(
        987_654_321, 123_456_789, 123_456_789, 3600.0, 1_795_521_600_000_000,
        1_799_521_600_000_000, None, (), [tally], {}, {}, 0,
    )  # fmt: skip
    held_to = given(None, None, ["rpm=1"], None)

    @click.command()
    def shown() -> None:
        tell(Told(found, Skipped(), held_to, Terms(30.0), 20))

    lines = CliRunner().invoke(shown).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "123,456,789" in lines[1]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--tier", "6"),
        ("--tier", "0"),
        ("--rule", "rpm"),
        ("--rule", "rpm="),
        ("--rule", "rpm=0"),
        ("--rule", "rpm=many"),
        ("--rule", "rpm=1,rpm=2"),
        ("--rule", "per=model"),
        ("--rule", "rpm=1,per=colour"),
        ("--rule", "speed=1"),
        ("--rule", "rpm=1,name=a", "--rule", "tpm=1,name=a"),
        ("--tier", "1", "--max-wait", "30s"),
        ("--tier", "1", "--on-limit", "wait", "--max-wait", "2h"),
        ("--tier", "1", "--on-limit", "wait", "--max-wait", "soon"),
        ("--tier", "1", "--on-limit", "queue"),
        ("--tier", "1", "--scale", "0"),
        ("--tier", "1", "--scale", "nan"),
        ("--tier", "1", "--scale", "-1"),
        ("--tier", "1", "--top", "0"),
        ("--tier", "1", "--since", "soon"),
    ],
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    logged(tmp_path, [0])
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert "Error" in result.output


def test_what_cannot_be_read_is_exit_1_with_the_reason(tmp_path: Path) -> None:
    assert run("--tier", "1").exit_code == 1
    assert "there is no call log yet" in run("--tier", "1").output
    missing = run("--tier", "1", "--from", "nowhere.db")
    assert (missing.exit_code, "nowhere.db: cannot be read" in missing.output) == (1, True)
    Path("bad.jsonl").write_text("{}\n")
    bad = run("--tier", "1", "--from", "bad.jsonl")
    assert (bad.exit_code, "bad.jsonl:1: has no `started_at`" in bad.output) == (1, True)
    logged(tmp_path, [0])
    assert run("--profile", "nowhere.yaml").exit_code == 1
    Path("empty.yaml").write_text("{}\n")
    learned = run("--profile", "empty.yaml")
    assert (learned.exit_code, "lacks `limits`" in learned.output) == (1, True)
    Path("gateway.yaml").write_text("limits: {tier: 9}\n")
    configured = run()
    assert (configured.exit_code, "tier: must be at most 5" in configured.output) == (1, True)
    assert run("--config", "nowhere.yaml").exit_code == 1
