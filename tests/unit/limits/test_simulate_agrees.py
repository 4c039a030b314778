"""A simulation says of each call what the live gateway says, with the same calls at the same times:
its stage, gate, store, lines and settlement run beside it on virtual time."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.config.load import read
from openai_gateway.core.verdict import Refuse
from openai_gateway.limits.arrival import Arrival
from openai_gateway.limits.rulings import Facts, Rulings
from openai_gateway.limits.simulate import Terms, simulate
from tests.unit.limits.rig import Rig, chat, used
from tests.unit.limits.test_rulings import ENV
from tests.unit.limits.virtual import VirtualClock
from tests.unit.limits.virtual import run as run_virtually

BEGAN = 1000.0  # of the virtual clock
MODELS = ("gpt-5-mini", "gpt-5")
RULES = """
  rules:
    - {name: places, match: {model: gpt-5-mini}, concurrency: 2}
    - {name: each, per: [model], rpm: 6, tpm: 900}
    - {name: day, rpd: 40}
"""


@dataclass(frozen=True)
class Plan:
    """A call: milliseconds after the one before it, kilobytes it says, and how it goes on."""

    gap_ms: int
    model: int
    words: int
    most: int | None
    written: int
    lasts_ms: int
    ended: str


PLANS = st.lists(
    st.builds(
        Plan,
        st.sampled_from([0, 1, 40, 700, 4_000, 12_000]),
        st.integers(0, 1),
        st.integers(0, 60),
        st.none() | st.integers(1, 400),
        st.integers(1, 500),
        st.sampled_from([0, 30, 2_500, 9_000, 21_000]),
        st.sampled_from(["ran", "ran", "ran", "failed", "left"]),
    ),
    min_size=1,
    max_size=40,
)


def arrivals(plans: list[Plan]) -> list[Arrival]:
    """No two of them come at the same time, nor does one end when another comes: which of the two
    is first would be anybody's guess."""
    at, made = 0, []
    for number, plan in enumerate(plans):
        at += plan.gap_ms * 1000
        arrival = Arrival(
            at + number,
            f"gw_{number}",
            Facts("default", MODELS[plan.model], "ci", "chat.create"),
            4 + plan.words,  # as the gateway estimates it, and as it was
            plan.written if plan.ended == "ran" else 0,
            plan.most,
            duration_us=plan.lasts_ms * 1000 + 500,
            ended=plan.ended,  # type: ignore[arg-type]  # a word of Ended
        )
        made.append(arrival)
    return made


async def lived(clock: VirtualClock, policy: str, calls: list[Arrival]) -> list[tuple[str, int]]:
    """What the gateway does with each: `rejected` with the wait, or `passed` after so long (us)."""
    rig = Rig(clock, policy + RULES)
    rig.settlement.start()

    async def one(arrival: Arrival) -> tuple[str, int]:
        await asyncio.sleep(BEGAN + arrival.at_us / 1e6 - clock.monotonic())
        words = "word" * ((arrival.input_tokens or 0) - 4)
        call = chat(messages=[{"role": "user", "content": words}], max_tokens=arrival.most)
        call.id, call.model_requested = arrival.id, arrival.facts.model
        verdict = await rig.asks(call)
        if isinstance(verdict, Refuse):
            told = dict(verdict.refusal.headers).get("retry-after-ms", "-1")
            return "rejected", int(told)
        waited = round(call.injected_ms * 1000)
        await asyncio.sleep((arrival.duration_us or 0) / 1e6)
        call.status = 200 if arrival.ended == "ran" else 500
        call.error_code = "client_closed" if arrival.ended == "left" else None
        call.usage = used(arrival.input_tokens or 0, arrival.output_tokens or 0)
        rig.settlement.settle(call)
        return "passed", waited

    said = await asyncio.gather(*map(one, calls))
    await rig.settlement.stop()
    return list(said)


def simulated(policy: str, calls: list[Arrival], max_wait_s: float | None) -> list[tuple[str, int]]:
    loaded = read(f"keys: {{}}\nlimits:\n{policy}{RULES}", ENV)
    rulings = Rulings(loaded.config.limits, loaded.where)
    found = simulate(calls, rulings, Terms(max_wait_s, listed=len(calls)))
    said = {call.id: ("passed", 0) for call in calls}
    for met in found.met:
        if met.delayed:
            said[met.call.id] = ("passed", round(met.wait_s * 1e6))
        else:
            endless = met.wait_s == float("inf")
            said[met.call.id] = ("rejected", -1 if endless else _ms(met.wait_s))
    return list(said.values())


def _ms(seconds: float) -> int:
    return -(-round(seconds * 1e6) // 1000)


@pytest.mark.parametrize(
    ("policy", "max_wait_s"),
    [("", None), ("  on_limit: wait\n  max_wait_s: 15\n", 15.0)],
    ids=["reject", "wait"],
)
@settings(max_examples=150, deadline=None)
@given(plans=PLANS)
def test_a_simulation_is_what_the_gateway_does(
    policy: str, max_wait_s: float | None, plans: list[Plan]
) -> None:
    calls = arrivals(plans)
    live = run_virtually(lambda clock: lived(clock, policy, calls))
    assert simulated(policy, calls, max_wait_s) == live
