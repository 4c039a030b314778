"""Draws that show production's p50 and p95 already in 30 calls, and which entry is for a model."""

from dataclasses import dataclass
from statistics import quantiles

import pytest

from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import PASS, Pass
from openai_gateway.staging.latency import Slowed
from openai_gateway.staging.plan import Plan


@dataclass(frozen=True)
class Times:
    p50: float
    p95: float


@dataclass(frozen=True)
class Entry:
    ttft_ms: Times = Times(400, 1500)
    tokens_per_s: float | None = 60.0


def call(model: str | None = "gpt-6-luna") -> Call:
    made = Call(Request("POST", "api.openai.com", b"/v1/chat/completions", []))
    made.model_requested = made.model_sent = model
    return made


def drawn(stage: Slowed, model: str = "gpt-6-luna") -> float:
    asked = call(model)
    stage.check(asked)
    assert isinstance(asked.plan, Plan)
    assert asked.plan.ttft_s is not None
    return asked.plan.ttft_s * 1000


@pytest.mark.parametrize(("count", "median"), [(30, 0.10), (300, 0.04)])
@pytest.mark.parametrize("seed", range(30))
def test_draws_show_the_profile(seed: int, count: int, median: float) -> None:
    """In any window: of 30 the p50 within 10 %, of 300 within 4 %; the p95 is met in both."""
    stage = Slowed("enforce", seed, {"*": Entry()})
    for _ in range(seed):
        drawn(stage)
    found = quantiles([drawn(stage) for _ in range(count)], n=20, method="inclusive")
    assert found[9] == pytest.approx(400, rel=median)
    assert found[18] == pytest.approx(1500, rel=0.01)


def test_one_call_in_a_hundred_is_slower_than_the_p95() -> None:
    stage = Slowed("enforce", 1, {"*": Entry()})
    slower = [ms for ms in (drawn(stage) for _ in range(1000)) if ms > 1500.001]
    assert len(slower) == 10


def test_a_seed_repeats_the_draws_and_each_entry_has_its_own() -> None:
    table = {"a": Entry(), "b": Entry()}
    one, two = Slowed("enforce", 5, table), Slowed("enforce", 5, table)
    first = [drawn(one, "a") for _ in range(5)]
    for _ in range(5):
        drawn(two, "b")
    assert [drawn(two, "a") for _ in range(5)] == first
    assert [drawn(Slowed("enforce", 6, table), "a")] != first[:1]


@pytest.mark.parametrize(
    ("model", "p50"),
    [("gpt-6-luna", 3), ("gpt-6-sol", 2), ("gpt-5", 1), ("o9", None), (None, None)],
)
def test_the_most_exact_entry_is_taken(model: str | None, p50: float | None) -> None:
    table = {
        "gpt-*": Entry(Times(1, 1)), "gpt-6*": Entry(Times(2, 2)), "gpt-6-luna": Entry(Times(3, 3)),
    }  # fmt: skip
    asked = call(model)
    said = Slowed("enforce", 1, table).check(asked)
    if p50 is None:
        assert (said, asked.plan) == (PASS, None)
    else:
        assert asked.plan == Plan(ttft_s=p50 / 1000, tokens_per_s=60.0)


def test_nothing_is_drawn_of_nothing() -> None:
    assert drawn(Slowed("enforce", 1, {"*": Entry(Times(0, 0))})) == 0


def test_no_draw_is_out_of_all_proportion() -> None:
    stage = Slowed("enforce", 1, {"*": Entry()})
    longest = max(drawn(stage) for _ in range(5000))
    assert 1500 < longest < 400 * 12


def test_a_planned_fault_stays_planned() -> None:
    asked = call()
    asked.plan = Plan("bad", "cut_stream", after_events=4)
    Slowed("enforce", 1, {"*": Entry(Times(3, 3))}).check(asked)
    assert asked.plan == Plan("bad", "cut_stream", 1.0, 4, 0.003, 60.0)


def test_observe_only_says_so() -> None:
    asked = call()
    said = Slowed("observe", 1, {"*": Entry(Times(7, 7))}).check(asked)
    assert said == Pass("would_delay: 7 ms to the first event")
    assert asked.plan is None


@pytest.mark.parametrize(("mode", "table"), [("off", {"*": Entry()}), ("enforce", None)])
def test_off_plans_nothing(mode: str, table: dict[str, Entry] | None) -> None:
    asked = call()
    assert Slowed(mode, 1, table).check(asked) is PASS
    assert asked.plan is None


def test_a_handshake_is_not_held() -> None:
    asked = call()
    asked.websocket = True
    assert Slowed("enforce", 1, {"*": Entry()}).check(asked) is PASS
