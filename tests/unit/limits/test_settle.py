"""What becomes of a reservation: 100 tokens were reserved of 1000, 6 of them for the input."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.core.call import Call
from openai_gateway.core.usage import Usage
from openai_gateway.core.verdict import PASS
from openai_gateway.limits.limit import LEASE_S
from openai_gateway.limits.settle import RENEW_S
from tests.unit.limits.rig import Rig, chat, posted, used
from tests.unit.limits.virtual import VirtualClock, run

RULES = "  rules: [{name: r, rpm: 10, tpm: 1000, tpd: 5000, ipm: 5, concurrency: 2}]\n"


def ended(call: Call, status: int, usage: Usage | None = None, error: str | None = None) -> Call:
    call.status, call.usage, call.error_code = status, usage, error
    return call


def left_after(
    status: int, usage: Usage | None = None, error: str | None = None, *, broken: bool = False
) -> dict[str, int]:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig = Rig(clock, RULES)
        call = chat()
        await rig.asks(call)
        assert await rig.remaining() == {
            "rpm": 9, "tpm": 900, "tpd": 4900, "ipm": 5, "concurrency": 1,
        }  # fmt: skip
        rig.settlement.settle(ended(call, status, usage, error), broken=broken)
        return await rig.remaining()

    return run(scenario)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (used(10, 20), 30),  # less than was reserved is given back
        (used(50, 50), 100),
        (used(400, 800), 1200),  # more is taken: below nothing left
        (used(0, 0), 100),  # told nothing: the reservation stands
        (None, 100),
        (used(6, 2, "estimated"), 8),
    ],
)
def test_an_answer_s_usage_corrects_the_buckets_both_ways(usage: Usage | None, tokens: int) -> None:
    left = left_after(200, usage)
    assert (left["tpm"], left["tpd"]) == (max(0, 1000 - tokens), 5000 - tokens)
    assert (left["rpm"], left["concurrency"]) == (9, 2)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (used(6, 40, "estimated"), 46),  # its estimate
        (used(0, 1, "estimated"), 6),  # the input went in whole
        (None, 100),  # nothing is known: nothing is given back
        (used(6, 300, "estimated"), 306),
    ],
)
def test_a_stream_that_broke_off_is_corrected_to_its_estimate_never_to_nothing(
    usage: Usage | None, tokens: int
) -> None:
    assert left_after(200, usage, "client_closed", broken=True)["tpm"] == 1000 - tokens


@pytest.mark.parametrize(
    ("status", "error", "tokens"),
    [
        (400, None, 0),
        (429, "rate_limit_exceeded", 0),
        (500, None, 0),
        (502, "gateway_upstream_unreachable", 0),
        (0, "protocol", 0),
        (0, "client_closed", 6),  # OpenAI has read it
    ],
)
def test_a_call_that_fails_gives_its_tokens_back_and_stays_counted(
    status: int, error: str | None, tokens: int
) -> None:
    left = left_after(status, None, error)
    assert (left["tpm"], left["tpd"]) == (1000 - tokens, 5000 - tokens)
    assert (left["rpm"], left["concurrency"]) == (9, 2)


def test_a_call_is_settled_once() -> None:
    async def scenario(clock: VirtualClock) -> int:
        rig = Rig(clock, RULES)
        call = chat()
        await rig.asks(call)
        for _ in range(3):
            rig.settlement.settle(ended(call, 500))
        return (await rig.remaining())["tpm"]

    assert run(scenario) == 1000


def test_a_call_without_a_reservation_settles_to_nothing() -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig = Rig(clock, RULES)
        rig.settlement.settle(ended(chat(), 200, used(5, 5)))
        return await rig.remaining()

    assert run(scenario)["tpm"] == 1000


@pytest.mark.parametrize(("status", "left"), [(200, 2), (500, 5)])
def test_pictures_that_were_not_drawn_are_given_back(status: int, left: int) -> None:
    async def scenario(clock: VirtualClock) -> int:
        rig = Rig(clock, "  rules: [{name: r, ipm: 5}]\n")
        call = posted("/v1/images/generations", {"prompt": "A cat...", "n": 3})
        await rig.asks(call)
        rig.settlement.settle(ended(call, status))
        return (await rig.remaining())["ipm"]

    assert run(scenario) == left


def test_the_next_call_is_estimated_by_what_the_model_wrote() -> None:
    async def scenario(clock: VirtualClock) -> tuple[int, int]:
        rig = Rig(clock, RULES)
        call = chat(n=2)
        await rig.asks(call)
        rig.settlement.settle(ended(call, 200, used(6, 61)))  # 30.5 an answer
        broken = chat()
        await rig.asks(broken)
        rig.settlement.settle(ended(broken, 200, used(6, 500, "estimated")), broken=True)
        return rig.recent.of("gpt-5-mini"), rig.recent.of("other")

    assert run(scenario) == (31, 256)


def test_a_far_store_is_told_in_a_task_of_its_own_and_whoever_waits_is_nudged() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        rig = Rig(clock, "  on_limit: wait\n  rules: [{name: r, concurrency: 1}]\n", far=True)
        first, second = chat(), chat()
        await rig.asks(first)
        waiting = asyncio.create_task(rig.asks(second))
        await asyncio.sleep(0.1)
        began = clock.monotonic()
        rig.settlement.settle(ended(first, 200))
        await waiting
        waited = clock.monotonic() - began
        rig.settlement.settle(ended(second, 200))
        await rig.settlement.stop()
        return round(waited, 3), (await rig.remaining())["concurrency"]

    assert run(scenario) == (0.02, 1)  # one answer for the release, one for the place


def test_a_place_is_renewed_while_its_call_runs_and_no_longer() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        rig = Rig(clock, "  rules: [{name: r, concurrency: 1}]\n", far=True)
        rig.settlement.start()
        call = chat()
        await rig.asks(call)
        await asyncio.sleep(4 * LEASE_S)
        held = (await rig.remaining())["concurrency"]
        renewed = len(rig.far.renewed)
        rig.settlement.settle(ended(call, 200))
        await asyncio.sleep(LEASE_S)
        after = (await rig.remaining())["concurrency"], len(rig.far.renewed) - renewed
        await rig.settlement.stop()
        return held, renewed, after

    assert run(scenario) == (0, 4 * LEASE_S // RENEW_S - 1, (1, 0))


def test_a_store_that_is_away_stops_neither_renewals_nor_settlements() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        rig = Rig(clock, "  rules: [{name: r, tpm: 1000, concurrency: 1}]\n", far=True)
        rig.settlement.start()
        call = chat()
        await rig.asks(call)
        rig.far.away = True
        await asyncio.sleep(2 * RENEW_S)
        rig.far.away = False
        await asyncio.sleep(RENEW_S)
        renewed = len(rig.far.renewed)
        rig.far.away = True
        rig.settlement.settle(ended(call, 500))
        await rig.settlement.stop()
        return renewed

    assert run(scenario) >= 2


def test_stopping_lets_corrections_come_through() -> None:
    async def scenario(clock: VirtualClock) -> int:
        rig = Rig(clock, RULES, far=True)
        call = chat()
        await rig.asks(call)
        rig.settlement.settle(ended(call, 500))
        await rig.settlement.stop()
        return (await rig.remaining())["tpd"]

    assert run(scenario) == 5000


OUTCOMES = st.sampled_from(("whole", "silent", "failed", "left", "broken"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), OUTCOMES, st.integers(1, 600)), max_size=20))
def test_after_any_calls_the_bucket_holds_exactly_what_they_used(calls: list) -> None:
    """Each reserves 6 + `most`; none is admitted that does not fit, and no time passes."""

    async def scenario(clock: VirtualClock) -> None:
        rig, taken = Rig(clock, "  rules: [{name: r, tpd: 2000}]\n"), 0
        for most, outcome, told in calls:
            call = chat(max_tokens=most)
            admitted = await rig.asks(call) is PASS
            assert admitted is (taken + 6 + most <= 2000)
            if not admitted:
                continue
            used_up = {
                "whole": told, "silent": 6 + most, "failed": 0, "left": 6, "broken": max(6, told),
            }  # fmt: skip
            usage = used(0, told) if outcome in ("whole", "broken") else None
            status = {"failed": 500, "left": 0}.get(outcome, 200)
            error = "client_closed" if outcome == "left" else None
            rig.settlement.settle(ended(call, status, usage, error), broken=outcome == "broken")
            taken += used_up[outcome]
            assert (await rig.remaining())["tpd"] == max(0, 2000 - taken)

    run(scenario)
