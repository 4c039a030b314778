"""The row: what is kept of a call, and what never is."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.accounting.record import NOTHING, row, wanted
from openai_gateway.accounting.schema import CALLS
from openai_gateway.core.call import Call, Request
from openai_gateway.core.usage import Usage

KEY = "sk-proj-" + "FAKE" * 10


def call(target: bytes = b"/v1/chat/completions", method: str = "POST", **known: Any) -> Call:
    made = Call(Request(method, "api.openai.com", target, []), endpoint="chat.create", key="ci")
    for name, value in known.items():
        setattr(made, name, value)
    return made


def test_a_call_that_was_forwarded_gives_this_row() -> None:
    made = row(
        call(
            b"/v1/chat/completions?beta=true",
            id="gw_1",
            started_at=1_795_519_200.25,
            client="10.1.2.3",
            model_requested="gpt-5-mini",
            model_sent="gpt-5-mini",
            admitted=True,
            stream=True,
            status=200,
            outcome="forwarded",
            trace=[("keys.identify", "pass", 12), ("keys.attach", "pass", 3)],
            duration_ms=1234.5678,
            upstream_ms=1200.0,
            ttft_ms=310.25,
            overhead_ms=34.5678,
            request_bytes=42,
            response_bytes=4200,
            openai_request_id="req_1",
            sdk="python 3.54.0 retry 0",
        )
    )
    assert made == {
        "id": "gw_1",
        "started_at": datetime(2026, 11, 24, 11, 20, 0, 250_000, tzinfo=UTC),
        "environment": "staging",
        "key": "ci",
        "client": "10.1.2.3",
        "endpoint": "chat.create",
        "method": "POST",
        "path": "/v1/chat/completions",
        "model_requested": "gpt-5-mini",
        "model_sent": "gpt-5-mini",
        "stream": True,
        "status": 200,
        "outcome": "forwarded",
        "error_code": None,
        "usage_source": "none",
        "cost_nano_usd": 0,
        "model_response": None,
        "service_tier": None,
        "leaks": None,
        "fault": None,
        "features": None,
        "upstream_limits": None,
        **NOTHING,
        "duration_ms": 1234.568,
        "upstream_ms": 1200.0,
        "ttft_ms": 310.25,
        "overhead_ms": 34.568,
        "injected_ms": 0.0,
        "request_bytes": 42,
        "response_bytes": 4200,
        "openai_request_id": "req_1",
        "sdk": "python 3.54.0 retry 0",
        "trace": '[{"stage":"keys.identify","verdict":"pass","us":12},'
        '{"stage":"keys.attach","verdict":"pass","us":3}]',
    }


def test_the_row_has_columns_of_the_table_only_and_all_that_must_be_there() -> None:
    names = set(row(call()))
    assert names <= {column.name for column in CALLS.columns}
    assert {column.name for column in CALLS.columns if not column.nullable} <= names


def test_a_refused_call_sent_no_model() -> None:
    made = row(call(model_requested="gpt-5-mini", outcome="blocked", status=403))
    assert (made["model_requested"], made["model_sent"]) == ("gpt-5-mini", None)


def test_the_upstreams_error_is_the_rows_where_we_have_none() -> None:
    assert row(call(upstream_error="slow_down"))["error_code"] == "slow_down"
    ours = row(call(upstream_error="connect", error_code="gateway_upstream_unreachable"))
    assert ours["error_code"] == "gateway_upstream_unreachable"


def test_a_path_that_no_endpoint_vouches_for_is_withheld() -> None:
    assert row(call(b"/v1/" + KEY.encode(), endpoint="unknown"))["path"] == "(withheld)"


def test_a_path_that_held_a_key_is_withheld_but_for_its_endpoint() -> None:
    made = row(call(b"/v1/files/x", error_code="gateway_production_key_leaked"))
    assert made["path"] == "(withheld) chat.create"


@pytest.mark.parametrize(
    "known",
    [
        {"target": b"/v1/files/" + KEY.encode()},
        {"target": b"/v1/files/" + b"a" * 230 + KEY.encode()},  # a cut must not hide half a key
        {"model_requested": KEY},
        {"model_requested": "m" * 40 + KEY},
        {"model_requested": "m" * 2040 + KEY},
        {"method": KEY},
        {"sdk": "python " + KEY},
        {"openai_request_id": KEY},
        {"error_code": KEY},
    ],
)
def test_no_client_text_brings_a_key_into_the_row(known: dict[str, Any]) -> None:
    text = repr(row(call(admitted=True, **known)))
    assert KEY[8:24] not in text
    assert "FAKEFAKE" not in text


def test_text_that_would_play_on_a_terminal_is_encoded() -> None:
    made = row(call(b"/v1/\x1b[2J\xff", model_requested="gpt\n\u202e5"))
    assert made["path"] == r"/v1/\x1b[2J%C3%BF"
    assert made["model_requested"] == r"gpt\n\u202e5"


def test_long_texts_are_cut_and_show_it() -> None:
    made = row(call(b"/v1/" + b"p" * 1000, model_requested="m" * 1000))
    assert made["path"] == "/v1/" + "p" * 249 + "..."
    assert made["model_requested"] == "m" * 61 + "..."


@given(
    st.binary(max_size=2000),
    st.text(max_size=400),
    st.lists(st.tuples(st.text(max_size=90), st.text(max_size=200), st.integers(0, 10**9))),
)
def test_whatever_a_client_sends_the_row_stays_below_1_kb(
    target: bytes, text: str, trace: list[tuple[str, str, int]]
) -> None:
    made = row(
        call(
            target,
            method=text,
            client=text,
            model_requested=text,
            sdk=text,
            openai_request_id=text,
            error_code=text,
            admitted=True,
            trace=trace,
        )
    )
    texts = [str(value) for value in made.values() if value is not None]
    assert all(value.isascii() and value.isprintable() for value in texts)
    assert sum(map(len, texts)) < 1024
    assert isinstance(orjson.loads(str(made["trace"])), list)


def test_a_trace_too_long_keeps_its_end_where_the_refusal_is() -> None:
    entries = [(f"stage{number}", "pass", number) for number in range(40)]
    made = row(call(trace=[*entries, ("limits", "refused: rate_limit_exceeded", 9)]))
    kept = orjson.loads(str(made["trace"]))
    assert kept[-1] == {"stage": "limits", "verdict": "refused: rate_limit_exceeded", "us": 9}
    assert len(kept) < 41


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ({"status": 200, "outcome": "forwarded"}, False),
        ({"status": 101, "outcome": "forwarded"}, False),
        ({"status": 200, "outcome": "replayed"}, False),
        ({"status": 404, "outcome": "forwarded"}, True),
        ({"status": 401, "outcome": "rejected_key"}, True),
        ({"status": 200, "outcome": "faulted"}, True),
        ({"status": 200, "outcome": "forwarded", "upstream_error": "server_error"}, True),
        ({"status": 0, "outcome": "forwarded"}, True),  # the client left before an answer
    ],
)
def test_errors_only_keeps_what_did_not_end_well(known: dict[str, Any], kept: bool) -> None:
    made = row(call(**known))
    assert wanted(made, "errors") is kept
    assert wanted(made, "all")


def test_every_row_names_the_same_columns_whatever_it_tells() -> None:
    """SQLAlchemy writes a batch by the names of its first row: others would be lost in silence."""
    bare = Call(Request("GET", "api.openai.com", b"/v1/models", []))
    full = Call(Request("POST", "api.openai.com", b"/v1/responses", []))
    full.usage = Usage(input_tokens=3, output_tokens=2, units={"web_search": 1}, source="reported")
    assert row(bare).keys() == row(full).keys()
    assert row(bare)["input_tokens"] is None
    assert row(full)["total_tokens"] == 5
    assert row(full)["billed_units"] == '{"web_search":1}'
