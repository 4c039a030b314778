"""The meter alone: what is owed, once, whatever becomes of the answer."""

from pathlib import Path

import orjson
import pytest

from openai_gateway.accounting.meter import Charged, Meter
from openai_gateway.accounting.stage import Accounting
from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.api.prices import PriceTable
from openai_gateway.core.call import Call, Content, Request
from openai_gateway.core.verdict import PASS, Pass
from openai_gateway.endpoints.stage import NameEndpoint

PRICES = PriceTable.load(Path("rules/prices.yaml"))
TABLE = EndpointTable.load(Path("rules/endpoints.yaml"))
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
ANSWER = {"id": "chatcmpl-1", "model": "gpt-6-luna", "choices": [], "usage": USAGE}
COST = 1000 * 100 + 500 * 500


def call(
    target: bytes = b"/v1/chat/completions",
    method: str = "POST",
    body: dict[str, object] | None = None,
) -> Call:
    parsed = {"model": "gpt-6-luna", "messages": [], **(body or {})}
    made = Call(Request(method, "api.openai.com", target, [], orjson.dumps(parsed)))
    made.content = Content(made.request.body, "json", parsed)
    made.model_requested, made.admitted, made.status = "gpt-6-luna", True, 200
    made.stream = bool(parsed.get("stream"))
    NameEndpoint(TABLE).check(made)
    return made


def metered(made: Call, charged: Charged) -> Meter:
    Accounting(PRICES, charged).check(made)
    assert isinstance(made.meter, Meter)
    return made.meter


def test_a_whole_answer_is_charged_to_the_nano_dollar() -> None:
    made = call()
    meter = metered(made, Charged())
    meter.whole(orjson.dumps(ANSWER))
    meter.settle(broken=False)
    assert COST == 350_000
    assert (made.cost_nano_usd, made.usage_source) == (COST, "reported")


def test_a_large_answer_is_searched_and_charged_the_same() -> None:
    made = call()
    meter = metered(made, Charged())
    meter.whole(orjson.dumps({"padding": "x" * 100_000, **ANSWER}))
    meter.settle(broken=False)
    assert made.cost_nano_usd == COST


def test_a_large_answer_that_streams_is_charged_the_same() -> None:
    made = call()
    meter = metered(made, Charged())
    meter.begin(event_stream=False)
    body = orjson.dumps({"padding": "x" * 300_000, **ANSWER})
    assert b"".join(meter.feed(body[at : at + 7000]) for at in range(0, len(body), 7000)) == body
    assert meter.end() == b""
    meter.settle(broken=False)
    assert made.cost_nano_usd == COST


def test_two_calls_with_one_id_are_two_calls() -> None:
    charged = Charged()
    for _ in range(2):
        made = call()
        meter = metered(made, charged)
        meter.whole(orjson.dumps(ANSWER))
        meter.settle(broken=False)
        assert made.cost_nano_usd == COST


def test_a_read_of_what_was_charged_elsewhere_is_free() -> None:
    made = call(b"/v1/responses/resp_1", "GET")
    meter = metered(made, Charged())
    meter.whole(orjson.dumps({**ANSWER, "id": "resp_1", "status": "completed"}))
    meter.settle(broken=False)
    assert (made.cost_nano_usd, made.usage) == (0, None)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"usage": "x"}', b'{"usage": {}}'])
def test_an_answer_without_usage_is_counted_and_never_free_by_mistake(body: bytes) -> None:
    made = call(b"/v1/responses")
    meter = metered(made, Charged())
    meter.whole(body)
    meter.settle(broken=False)
    assert made.usage_missing is not None
    assert made.cost_nano_usd is None or made.usage_source == "estimated"


@pytest.mark.parametrize("status", [0, 101, 302, 401, 429, 500])
def test_what_failed_costs_nothing(status: int) -> None:
    made = call()
    meter = metered(made, Charged())
    made.status = status
    meter.whole(orjson.dumps(ANSWER))
    meter.settle(broken=False)
    assert (made.cost_nano_usd, made.usage) == (0, None)


def test_a_stream_that_did_not_ask_is_made_to_tell_and_others_are_left_alone() -> None:
    stage = Accounting(PRICES, Charged())
    quiet = call(body={"stream": True})
    before = quiet.request.body
    assert stage.check(quiet) == Pass("include_usage")
    assert quiet.request.body != before
    assert orjson.loads(quiet.request.body)["stream_options"] == {"include_usage": True}
    asks = {"stream": True, "stream_options": {"include_usage": True}}
    for other in (call(), call(b"/v1/responses", body={"stream": True}), call(body=asks)):
        before = other.request.body
        assert stage.check(other) is PASS
        assert other.request.body is before


def test_a_packed_body_leaves_plain_where_it_had_to_be_changed() -> None:
    made = call(body={"stream": True})
    made.request.headers.append((b"Content-Encoding", b"gzip"))
    Accounting(PRICES, Charged()).check(made)
    assert made.request.values(b"content-encoding") == []


def test_the_memory_of_charged_ids_is_bounded() -> None:
    charged = Charged(most=3)
    for name in "abcd":
        charged.note(name, charged=True)
    assert "a" not in charged
    assert "d" in charged
    charged.note("e", charged=False)
    assert charged.awaited("e")
    charged.note("d", charged=False)
    assert "d" in charged


@pytest.mark.parametrize(
    ("target", "answer", "bill"),
    [
        (b"/v1/chat/completions", ANSWER, ("chatcmpl-1", True)),
        (b"/v1/responses", {"id": "resp_1", "status": "queued", "usage": None}, ("resp_1", False)),
        (b"/v1/responses", {**ANSWER, "id": "resp_1", "status": "completed"}, ("resp_1", True)),
        (b"/v1/embeddings", {"model": "gpt-6-luna", "usage": USAGE}, None),
    ],
)
def test_the_call_names_its_bill_and_whether_that_is_final(
    target: bytes, answer: dict[str, object], bill: tuple[str, bool] | None
) -> None:
    made = call(target)
    meter = metered(made, Charged())
    meter.whole(orjson.dumps(answer))
    meter.settle(broken=False)
    assert made.bill == bill


class Elsewhere(Charged):
    """Others read the same: the log decides, later."""

    def claim(self, name: str) -> None:
        assert name == "resp_1"


def look(charged: Charged, status: str, body: dict[str, object] | None = None) -> Call:
    """Somebody reads whether the response has ended."""
    made = call(b"/v1/responses/resp_1", "GET")
    usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
    meter = metered(made, charged)
    answer = {"id": "resp_1", "status": status, "model": "gpt-6-luna", "usage": usage}
    meter.whole(orjson.dumps(answer if body is None else body))
    meter.settle(broken=False)
    return made


def settled(requested: str, sent: str, usage: dict[str, object]) -> Call:
    made = call()
    made.model_requested, made.model_sent = requested, sent
    meter = metered(made, Charged())
    meter.whole(orjson.dumps({**ANSWER, "model": sent, "usage": usage}))
    meter.settle(broken=False)
    return made


def test_the_end_of_work_is_free_until_it_is_decided_who_pays() -> None:
    made = look(Elsewhere(), "completed")
    assert (made.cost_nano_usd, made.usage, made.bill) == (0, None, None)
    assert made.claim is not None
    assert made.claim.name == "resp_1"
    made.claim.charge(made)
    assert (made.cost_nano_usd, made.usage_source) == (COST, "reported")
    assert made.bill == ("resp_1", True)


def test_work_that_failed_without_usage_is_claimed_too() -> None:
    """Its budgets get their money back, once."""
    made = look(Elsewhere(), "failed", {"id": "resp_1", "status": "failed", "usage": None})
    assert made.claim is not None
    made.claim.charge(made)
    assert (made.cost_nano_usd, made.bill) == (0, ("resp_1", True))


@pytest.mark.parametrize(("status", "known"), [("in_progress", False), ("completed", True)])
def test_work_that_goes_on_or_was_charged_is_not_claimed(status: str, known: bool) -> None:
    charged = Elsewhere()
    charged.note("resp_1", charged=known)
    made = look(charged, status)
    assert (made.claim, made.cost_nano_usd) == (None, 0)


def test_alone_the_gateway_that_announced_it_charges_the_first_that_reads_its_end() -> None:
    charged = Charged()
    costs = [look(charged, said).cost_nano_usd for said in ("queued", "completed", "completed")]
    assert costs == [0, COST, 0]


def test_what_a_substitute_saves_is_the_same_use_at_the_other_price() -> None:
    """Of 1,000 in 400 were cached. Luna: 600 x 100 + 400 x 10 + 500 x 500 = 314,000 nano-dollars;
    sol: 600 x 2,000 + 400 x 100 + 500 x 10,000 = 6,240,000."""
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}
    made = settled("gpt-6.1-sol", "gpt-6-luna", usage)
    assert (made.cost_nano_usd, made.avoided_nano_usd) == (314_000, 6_240_000 - 314_000)


@pytest.mark.parametrize(
    ("requested", "sent"),
    [("gpt-6-luna", "gpt-6-luna"), ("gpt-9-own", "gpt-6-luna"), ("gpt-6.1-sol", "gpt-9-own")],
)
def test_nothing_is_saved_where_nothing_was_replaced_or_has_no_price(
    requested: str, sent: str
) -> None:
    assert settled(requested, sent, USAGE).avoided_nano_usd == 0


def test_an_answer_that_names_no_model_costs_what_was_sent() -> None:
    made = call()
    made.model_requested, made.model_sent = "gpt-6.1-sol", "gpt-6-luna"
    meter = metered(made, Charged())
    meter.whole(orjson.dumps({"id": "chatcmpl-1", "choices": [], "usage": USAGE}))
    meter.settle(broken=False)
    assert made.cost_nano_usd == COST
