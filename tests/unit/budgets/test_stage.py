"""A call before and after: reserved or refused, settled or given back."""

from typing import Any

import orjson
import pytest

from openai_gateway.api.errors import CATALOGUE
from openai_gateway.budgets.settle import Hold
from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Pass, Refuse
from tests.budgets.rig import USD, Far, HandClock, Rig, Table, budget, chat

# gpt-4.1, no input, at most 100 tokens out: 100 x 8000 nano-dollars
WORST = 800_000


@pytest.fixture(params=["memory", "far"])
def store(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "memory":
        return {}
    clock = HandClock()
    return {"store": Far(clock), "clock": clock}


async def test_a_call_is_reserved_and_settled_by_its_cost(store: dict[str, Any]) -> None:
    rig = Rig(budget(reserve="worst"), **store)
    call = chat()
    assert await rig.check(call) is PASS
    assert (rig.spent(), rig.reserved()) == (0, WORST)
    assert rig.end(call, 5000) == (("team", 5000),)
    await rig.ledger.close()
    assert (rig.spent(), rig.reserved()) == (5000, 0)
    assert rig.end(call, 5000) == ()  # a second time
    await rig.ledger.close()
    assert rig.spent() == 5000


async def test_a_hard_budget_that_does_not_hold_the_call_refuses_it(store: dict[str, Any]) -> None:
    rig = Rig(budget(usd=0.0015, reserve="worst"), where=lambda _: "gateway.yaml:7", **store)
    assert await rig.check(chat()) is PASS
    call = chat()
    said = await rig.check(call)
    assert isinstance(said, Refuse)
    assert said.refusal.code == "project_spend_limit_exceeded"
    assert said.refusal.message.startswith(CATALOGUE["project_spend_limit_exceeded"].public)
    assert (
        "(budget team, gateway.yaml:7: spent $0.00 of $0.0015, $0.0008 more is reserved by calls "
        "under way, this call may take $0.0008; resets at 2026-11-25T00:00:00Z."
    ) in said.refusal.message
    assert rig.budgets.settle(call) == ()
    await rig.ledger.close()
    assert rig.reserved() == WORST


async def test_all_budgets_of_a_call_reserve_or_none(store: dict[str, Any]) -> None:
    rig = Rig(budget("wide"), budget("narrow", 0.0005, reserve="worst"), **store)
    assert isinstance(await rig.check(chat()), Refuse)
    assert (rig.reserved("wide"), rig.reserved("narrow")) == (0, 0)
    small = chat({"max_completion_tokens": 10})
    assert await rig.check(small) is PASS
    assert rig.end(small, 70) == (("wide", 70), ("narrow", 70))


async def test_only_matching_budgets_count() -> None:
    rig = Rig(
        budget("ci", match={"client": "ci"}),
        budget("web", match={"client": "web"}),
        budget("mini", match={"model": "gpt-4.1-mini*"}),
    )
    call = chat()
    await rig.check(call)
    assert rig.end(call, 9) == (("ci", 9),)


async def test_a_soft_budget_lets_pass_and_says_what_it_would_have_done(
    store: dict[str, Any],
) -> None:
    rig = Rig(budget(usd=0.0015, hard=False, reserve="worst"), **store)
    assert await rig.check(chat()) is PASS
    call = chat()
    assert await rig.check(call) == Pass("would_be_over_budget: team")
    assert call.would == ["over_budget"]
    assert rig.end(call, 3 * USD) == (("team", 3 * USD),)


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", b"/v1/models"), ("POST", b"/v1/moderations"), ("GET", b"/v1/responses/resp_1")],
)
async def test_what_costs_nothing_passes_a_budget_that_is_used_up(
    method: str, target: bytes
) -> None:
    rig = Rig(budget(usd=1e-9), table=Table(("team", "day", 1_795_478_400, 5, ())))
    assert await rig.check(chat({}, target, method)) is PASS
    assert isinstance(await rig.check(chat({}, b"/v1/brand/new")), Refuse)
    assert isinstance(await rig.check(chat({"model": "unheard-of"})), Refuse)
    assert isinstance(await rig.check(chat({}, b"/v1/batches")), Refuse)


async def test_each_response_on_a_socket_is_a_call_of_its_own(store: dict[str, Any]) -> None:
    rig = Rig(budget(usd=0.0015, reserve="worst"), **store)
    socket = chat({"model": None}, b"/v1/responses", "GET")
    socket.websocket, socket.model_requested = True, "gpt-4.1"
    assert await rig.check(socket) is PASS
    await rig.ledger.close()
    assert (rig.reserved(), rig.budgets.settle(socket)) == (0, ())
    frame = {"type": "response.create", "response": {"max_output_tokens": 100}}
    frames = [socket.on_socket() for _ in range(2)]
    said = [await admit(rig, socket, one, frame) for one in frames]
    assert said[0] is PASS
    assert isinstance(said[1], Refuse)
    assert frames[0].model_requested == "gpt-4.1"
    row = socket.on_socket()
    row.hold = frames[0].hold
    assert rig.end(row, 6000) == (("team", 6000),)
    await rig.ledger.close()
    assert (rig.spent(), rig.reserved()) == (6000, 0)


async def admit(rig: Rig, socket: Call, call: Call, frame: object) -> object:
    said = rig.budgets.admit_frame(socket, call, orjson.dumps(frame))
    return said if isinstance(said, Pass | Refuse) else await said  # type: ignore[misc]


@pytest.mark.parametrize(
    "frame", [b"", b"response.create", b'"response.create"', b'{"type":"session.update"}', b"[1]"]
)
def test_other_frames_pass(frame: bytes) -> None:
    rig = Rig(budget(usd=1e-9))
    socket = chat({}, b"/v1/responses", "GET")
    assert rig.budgets.admit_frame(socket, socket.on_socket(), frame) is PASS


async def test_a_socket_is_not_opened_on_a_budget_that_is_used_up() -> None:
    rig = Rig(budget(usd=1e-9), table=Table(("team", "day", 1_795_478_400, 1, ())))
    socket = chat({}, b"/v1/responses", "GET")
    socket.websocket = True
    assert isinstance(await rig.check(socket), Refuse)


async def test_a_hard_budget_that_cannot_be_read_refuses_and_a_soft_one_catches_up() -> None:
    rig = Rig()
    far = Far(rig.clock)
    far.away = True
    hard = Rig(budget(), store=far, clock=rig.clock)
    call = chat()
    said = await hard.check(call)
    assert isinstance(said, Refuse)
    assert (said.refusal.code, said.refusal.status) == ("gateway_store_unavailable", 503)
    assert said.refusal.retry
    assert hard.budgets.settle(call) == ()
    soft = Rig(budget(hard=False), store=far, clock=rig.clock)
    call = chat()
    assert await soft.check(call) == Pass("unread")
    soft.end(call, 700)
    await soft.ledger.close()
    far.away = False
    await soft.ledger.tick()
    await soft.ledger.tick()
    assert soft.spent() == 700


async def test_a_large_body_is_read_in_a_thread_and_reserved_the_same() -> None:
    rig = Rig(budget(usd=100.0))
    large = chat({"messages": [{"role": "user", "content": "four" * 50_000}]})
    said = rig.budgets.check(large)
    assert not isinstance(said, Pass | Refuse)
    assert await said is PASS  # type: ignore[misc]
    assert rig.reserved() == 50_004 * 2000 + 100 * 8000


async def test_a_call_that_is_cut_off_while_it_asks_gives_everything_back() -> None:
    rig = Rig()
    far = Far(rig.clock)
    rig = Rig(budget(), store=far, clock=rig.clock)
    call = chat()
    far.loses_answers = True
    assert isinstance(await rig.check(call), Refuse)
    far.loses_answers = False
    assert far.inner.read([rig.ledger.part(rig.budgets.rules[0], 0, rig.clock.now()).account])[
        0
    ].reserved
    rig.budgets.settle(call)
    await rig.ledger.close()
    await rig.ledger.tick()
    assert (rig.spent(), rig.reserved()) == (0, 0)


def test_without_budgets_nothing_is_asked() -> None:
    rig = Rig()
    call = chat()
    assert rig.budgets.check(call) is PASS
    assert rig.end(call, 5) == ()
    assert not isinstance(call.hold, Hold)
    assert rig.status() == []
