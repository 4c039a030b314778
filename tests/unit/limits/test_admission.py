"""What happens to a call: admitted, refused, held, only counted; and where the store is silent."""

import asyncio

import pytest

from openai_gateway.core.verdict import PASS, Pass, Refuse
from openai_gateway.limits.headers import headers_for
from openai_gateway.limits.reservation import Reservation
from tests.unit.limits.rig import Rig, chat
from tests.unit.limits.virtual import VirtualClock, run

RPM = "  rules: [{name: r, match: {key: default}, rpm: 3}]\n"
WAIT = "  on_limit: wait\n  max_wait_s: 30\n"


@pytest.mark.parametrize("far", [False, True])
def test_a_call_above_a_limit_is_refused_and_takes_nothing(far: bool) -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, "  rules: [{name: r, rpm: 3, tpm: 150}]\n", far=far)
        assert await rig.asks(chat()) is PASS
        call = chat()
        verdict = await rig.asks(call)
        assert isinstance(verdict, Refuse)
        # at 100 of 150 used, and 100 more asked: (100 + 100 - 150) * 60 / 150 s; two far answers
        # of 10 ms later the bucket has got 0.05 of them back
        assert "on tokens per min (TPM): Limit 150, Used 100, Requested 100." in (
            verdict.refusal.message
        )
        assert verdict.refusal.message.endswith(" (rule r, gateway.yaml:3)")
        assert call.throttled == [("tpm", "rejected")]
        assert await rig.remaining() == {"rpm": 2, "tpm": 50}
        assert call.would == []

    run(scenario)


def test_three_a_minute_are_three_and_one_more_every_twenty_seconds() -> None:
    async def scenario(clock: VirtualClock) -> list[str]:
        rig = Rig(clock, RPM)
        told = []
        for _ in range(5):
            verdict = await rig.asks(chat())
            told.append(verdict.refusal.message if isinstance(verdict, Refuse) else "pass")
        await asyncio.sleep(20.0)
        told.append("pass" if await rig.asks(chat()) is PASS else "")
        return told

    said = (
        "Rate limit reached for gpt-5-mini in organization gateway-staging on requests per min "
        "(RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. (rule r, gateway.yaml:3)"
    )
    assert run(scenario) == ["pass", "pass", "pass", said, said, "pass"]


def test_what_is_too_large_is_terminal_also_where_calls_wait() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, f"{WAIT}  rules: [{{name: r, tpm: 99}}]\n")
        began = clock.monotonic()
        verdict = await rig.asks(chat())
        assert isinstance(verdict, Refuse)
        assert verdict.refusal.message.startswith("Request too large for gpt-5-mini")
        assert (verdict.refusal.retry, clock.monotonic() - began) == (False, 0.0)

    run(scenario)


@pytest.mark.parametrize("far", [False, True])
def test_observe_says_what_it_would_do_and_never_waits(far: bool) -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, f"  mode: observe\n{WAIT}{RPM}", far=far)
        for _ in range(3):
            assert await rig.asks(chat()) is PASS
        call = chat()
        began = clock.monotonic()
        verdict = await rig.asks(call)
        assert verdict == Pass("would_be_throttled: rpm by r")
        assert clock.monotonic() - began <= 0.011
        assert (call.would, call.throttled) == (["throttled"], [("rpm", "would_reject")])
        assert headers_for(call, {}) == ()
        assert call.injected_ms == 0.0

    run(scenario)


def test_off_counts_nothing() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, f"  mode: off\n{RPM}")
        for _ in range(5):
            assert await rig.asks(chat()) is PASS
        assert (await rig.remaining())["rpm"] == 3

    run(scenario)


@pytest.mark.parametrize("far", [False, True])
def test_a_call_waits_for_its_turn_and_the_wait_is_counted(far: bool) -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, WAIT + RPM, far=far)
        for _ in range(3):
            await rig.asks(chat())
        call = chat()
        verdict = await rig.asks(call)
        assert isinstance(verdict, Pass)
        assert verdict.note.startswith("delayed by rpm, wait_ms=")
        assert call.throttled == [("rpm", "delayed")]
        assert call.injected_ms == pytest.approx(20_000, abs=50)
        assert isinstance(call.reserved, Reservation)
        assert call.reserved.charges

    run(scenario)


def test_a_wait_above_the_longest_is_refused() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, "  on_limit: wait\n  max_wait_s: 19\n" + RPM)
        for _ in range(3):
            await rig.asks(chat())
        call = chat()
        verdict = await rig.asks(call)
        assert isinstance(verdict, Refuse)
        assert dict(verdict.refusal.headers)["retry-after"] == "20"
        assert (call.throttled, call.injected_ms) == ([("rpm", "rejected")], 0.0)

    run(scenario)


def test_the_stage_s_own_time_limit_is_above_the_longest_wait() -> None:
    async def scenario(clock: VirtualClock) -> list[float]:
        texts = (RPM, WAIT + RPM, "  mode: observe\n" + WAIT + RPM)
        return [Rig(clock, text).stage.limit_s for text in texts]

    assert run(scenario) == [5.0, 35.0, 5.0]


def test_a_call_that_is_cut_off_before_the_store_answers_gives_back_what_was_taken() -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig = Rig(clock, "  rules: [{name: r, rpm: 3, tpm: 1000, concurrency: 1}]\n", far=True)
        task = asyncio.create_task(rig.asks(chat()))
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rig.settlement.stop()
        return await rig.remaining()

    assert run(scenario) == {"rpm": 3, "tpm": 1000, "concurrency": 1}


def test_a_waiting_call_that_goes_away_frees_its_place() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        rig = Rig(clock, WAIT + RPM)
        for _ in range(3):
            await rig.asks(chat())
        gone = asyncio.create_task(rig.asks(chat()))
        stays = asyncio.create_task(rig.asks(chat()))
        await asyncio.sleep(1.0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        began = clock.monotonic()
        await stays
        return round(clock.monotonic() - began, 3), len(rig.waiting)

    assert run(scenario) == (19.0, 0)


def test_whoever_waits_when_the_gateway_stops_is_asked_to_try_again() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, WAIT + RPM)
        for _ in range(3):
            await rig.asks(chat())
        task = asyncio.create_task(rig.asks(chat()))
        await asyncio.sleep(1.0)
        rig.waiting.drain()
        verdict = await task
        assert isinstance(verdict, Refuse)
        assert (verdict.refusal.code, verdict.refusal.retry) == ("gateway_not_ready", True)

    run(scenario)


@pytest.mark.parametrize(
    ("mode", "code"), [("enforce", "gateway_store_unavailable"), ("observe", None)]
)
@pytest.mark.parametrize("wait", ["", WAIT])
def test_a_store_that_is_silent_refuses_by_policy_and_observe_passes(
    mode: str, code: str | None, wait: str
) -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, f"  mode: {mode}\n{wait}{RPM}", far=True)
        rig.far.away = True
        call = chat()
        verdict = await rig.asks(call)
        assert (verdict.refusal.code if isinstance(verdict, Refuse) else None) == code
        if isinstance(verdict, Refuse):
            assert (verdict.refusal.status, verdict.refusal.outcome) == (503, "error")
        assert call.throttled == []

    run(scenario)
