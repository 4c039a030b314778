"""What a call leaves behind in its budgets."""

from typing import Any

import pytest

from openai_gateway.budgets.memory import LEASE_S
from openai_gateway.core.call import Call, Request
from openai_gateway.core.usage import Usage
from openai_gateway.core.verdict import PASS, Refuse
from tests.budgets.rig import Far, HandClock, Rig, budget, chat

# gpt-4.1, no input, at most 100 tokens out: 100 x 8000 nano-dollars
WORST = 800_000


@pytest.fixture(params=["memory", "far"])
def store(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "memory":
        return {}
    clock = HandClock()
    return {"store": Far(clock), "clock": clock}


@pytest.mark.parametrize(
    ("admitted", "status", "cost", "booked"),
    [
        (True, 200, 4000, 4000),
        (True, 500, 0, 0),  # it failed: its money comes back
        (True, 0, 0, 0),  # the client left before there was an answer
        (False, 429, 0, 0),  # a limit refused it, behind us
        (False, 200, 0, 0),  # a recorded answer
        (True, 200, None, WORST),  # nobody knows: then it is not nothing
    ],
)
async def test_what_a_call_leaves_behind(
    admitted: bool, status: int, cost: int | None, booked: int
) -> None:
    rig = Rig(budget(reserve="worst"))
    call = chat()
    await rig.check(call)
    call.admitted, call.status, call.cost_nano_usd = admitted, status, cost
    assert rig.budgets.settle(call) == ((("team", booked),) if booked else ())
    assert (rig.spent(), rig.reserved()) == (booked, 0)


async def test_where_the_cost_is_not_known_each_budget_keeps_what_it_reserved() -> None:
    rig = Rig(budget("likely"), budget("most", reserve="worst"))
    call = chat({"max_completion_tokens": 1000})
    await rig.check(call)
    # 256 tokens are expected at the start
    assert rig.end(call, None) == (("likely", 256 * 8000), ("most", 1000 * 8000))


@pytest.mark.parametrize(("assume_max", "least"), [(False, 0), (True, 10 * 600_000)])
async def test_a_model_without_a_price_is_charged_as_configured(
    assume_max: bool, least: int
) -> None:
    rig = Rig(budget(usd=10.0), assume_max=assume_max)
    call = chat({"model": "unheard-of"})
    await rig.check(call)
    usage = Usage(output_tokens=10, source="reported")
    booked = rig.end(call, None, unpriced_model="unheard-of", usage=usage)
    assert sum(amount for _, amount in booked) >= least
    assert bool(booked) == assume_max
    assert call.cost_nano_usd is None  # the row's cost stays unknown


async def test_what_a_model_lately_cost_is_expected_next() -> None:
    rig = Rig(budget())
    first = chat()
    await rig.check(first)
    rig.end(first, 123_456)
    await rig.check(chat())
    assert rig.reserved() == 123_456


async def test_a_response_in_the_background_keeps_its_money_until_its_bill(
    store: dict[str, Any],
) -> None:
    rig = Rig(budget(usd=0.0015, reserve="worst", match={"endpoint": "responses.create"}), **store)
    made = {"max_completion_tokens": None, "max_output_tokens": 100, "background": True}
    call = chat(made, b"/v1/responses")
    assert await rig.check(call) is PASS
    assert rig.end(call, 0, bill=("resp_1", False)) == ()
    await rig.ledger.close()
    rig.clock.at += 10 * LEASE_S
    assert isinstance(await rig.check(chat(made, b"/v1/responses")), Refuse)
    for cost, final, booked in ((0, False, ()), (4000, True, (("team", 4000),)), (0, True, ())):
        look = chat({"model": None}, b"/v1/responses/resp_1", "GET")
        assert await rig.check(look) is PASS
        assert rig.end(look, cost, bill=("resp_1", final), model_response="gpt-4.1") == booked
        await rig.ledger.close()
    assert await rig.check(chat(made, b"/v1/responses")) is PASS
    assert rig.spent() == 4000


async def test_a_response_that_failed_in_the_background_gives_its_money_back() -> None:
    rig = Rig(budget(reserve="worst"))
    call = chat({"max_output_tokens": 100}, b"/v1/responses")
    await rig.check(call)
    rig.end(call, 0, bill=("resp_1", False))
    assert rig.reserved() > 0
    look = chat({"model": None}, b"/v1/responses/resp_1", "GET")
    rig.end(look, 0, bill=("resp_1", True))
    assert (rig.spent(), rig.reserved()) == (0, 0)


async def test_what_another_gateway_has_reserved_is_charged_where_its_end_is_read(
    store: dict[str, Any],
) -> None:
    """By what the first told: here `match` alone would not find the budget."""
    first = Rig(budget("made", match={"endpoint": "responses.create"}), **store)
    made = chat({"max_output_tokens": 100, "background": True}, b"/v1/responses")
    assert await first.check(made) is PASS
    first.end(made, 0, bill=("resp_1", False))
    await first.ledger.close()
    day = int(first.clock.now() // 86_400 * 86_400)
    assert made.waits == (("made", "day", day, day + 86_400),)
    again = Rig(
        budget("made", match={"endpoint": "responses.create"}),
        store=first.store,
        clock=first.clock,
    )
    look = chat({"model": None}, b"/v1/responses/resp_1", "GET")
    look.waits = (*made.waits, ("gone", "day", day, day + 86_400))
    assert again.end(look, 4000, bill=("resp_1", True)) == (("made", 4000),)
    await again.ledger.close()
    assert (again.spent("made"), again.reserved("made")) == (4000, 0)


async def test_what_was_ordered_elsewhere_is_charged_where_it_is_read() -> None:
    rig = Rig(budget("luna", match={"model": "gpt-6*"}), budget("all"))
    look = chat({"model": None}, b"/v1/responses/resp_9", "GET")
    await rig.check(look)
    booked = rig.end(look, 70, bill=("resp_9", True), model_response="gpt-6-luna")
    assert booked == (("luna", 70), ("all", 70))


async def test_a_row_of_a_socket_that_reserved_nothing_is_charged(store: dict[str, Any]) -> None:
    rig = Rig(budget(), **store)
    row = Call(Request("WS", "api.openai.com", b"/v1/realtime", []), key="default")
    assert rig.end(row, 42) == (("team", 42),)
    await rig.ledger.close()
    assert rig.spent() == 42
