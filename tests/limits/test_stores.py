"""What a store promises, on memory and on a real Redis alike; the clock is set by hand."""

import asyncio
import math

import pytest

from openai_gateway.limits.limit import Kind
from tests.limits.rig import Rig, ask, limit

DAY_S = 86_400


async def test_rpm_3_holds_three_and_gives_one_back_every_20_s(rig: Rig) -> None:
    three = ask("rpm", 3)
    assert [await rig.admits(three) for _ in range(4)] == [True, True, True, False]
    rig.wait(19.999_999)
    assert not await rig.admits(three)
    rig.wait(0.000_001)
    assert [await rig.admits(three) for _ in range(2)] == [True, False]


async def test_an_admission_tells_what_is_left_after_it(rig: Rig) -> None:
    told = await rig.take(ask("rpm", 3), ask("tpm", 30_000, 14_567), ask("concurrency", 2))
    assert told.admitted
    assert [state.remaining for state in told.states] == [2, 15_433, 1]
    assert [state.reset_s for state in told.states] == [20.0, 29.134, 1.0]
    assert [state.wait_s for state in told.states] == [0.0, 0.0, 0.0]
    assert [state.limit.kind for state in told.states] == ["rpm", "tpm", "concurrency"]
    assert told.at == rig.clock.now()


async def test_a_refusal_tells_how_long_to_wait_and_takes_nothing_from_any(rig: Rig) -> None:
    await rig.take(ask("tpm", 30_000, 14_567))
    for _ in range(3):
        told = await rig.take(ask("rpm", 3), ask("tpm", 30_000, 24_754), ask("concurrency", 1))
        assert not told.admitted
        assert [state.wait_s for state in told.states] == [0.0, 18.642, 0.0]
        assert [state.remaining for state in told.states] == [3, 15_433, 1]
    rig.wait(18.642)
    assert await rig.admits(ask("rpm", 3), ask("tpm", 30_000, 24_754), ask("concurrency", 1))


async def test_a_refusal_for_places_takes_no_tokens(rig: Rig) -> None:
    assert await rig.admits(ask("concurrency", 1), lease="first")
    assert not await rig.admits(ask("rpm", 3), ask("concurrency", 1), lease="second")
    assert await rig.left(limit("rpm", 3)) == 3


@pytest.mark.parametrize(
    ("kind", "amount", "each_s"),
    [("rpm", 60, 1), ("ipm", 5, 12), ("rpd", 200, 432), ("tpm", 600, 0.1), ("tpd", 86_400, 1)],
)
async def test_each_kind_refills_over_its_period(
    rig: Rig, kind: Kind, amount: int, each_s: float
) -> None:
    assert await rig.admits(ask(kind, amount, amount))
    assert (await rig.take(ask(kind, amount))).states[0].wait_s == each_s
    rig.wait(each_s)
    assert await rig.admits(ask(kind, amount))
    assert not await rig.admits(ask(kind, amount))
    rig.wait(DAY_S)
    assert await rig.admits(ask(kind, amount, amount))


async def test_what_is_above_the_whole_limit_never_fits(rig: Rig) -> None:
    told = await rig.take(ask("tpm", 30_000, 31_538), ask("concurrency", 1, 2))
    assert not told.admitted
    assert [state.wait_s for state in told.states] == [math.inf, math.inf]


async def test_nothing_asked_always_fits(rig: Rig) -> None:
    await rig.adjust(ask("tpm", 100, 500))
    assert await rig.admits(ask("tpm", 100, 0), ask("concurrency", 1, 0))
    assert await rig.left(limit("concurrency", 1)) == 1


async def test_a_correction_gives_back_what_was_not_used(rig: Rig) -> None:
    await rig.take(ask("tpm", 1_000, 900))
    await rig.adjust(ask("tpm", 1_000, -600))
    assert await rig.left(limit("tpm", 1_000)) == 700


async def test_a_correction_takes_also_below_nothing(rig: Rig) -> None:
    await rig.take(ask("tpm", 100, 100))
    await rig.adjust(ask("tpm", 100, 563))
    told = await rig.take(ask("tpm", 100, 1))
    assert told.states[0].remaining == 0
    # 663 of 100 are used: (663 + 1 - 100) * 0.6 s
    assert told.states[0].wait_s == pytest.approx(338.4)
    assert told.states[0].reset_s == pytest.approx(397.8)
    rig.wait(338.4)
    assert await rig.admits(ask("tpm", 100, 1))


async def test_a_late_correction_never_fills_above_the_limit(rig: Rig) -> None:
    await rig.take(ask("tpm", 1_000, 900))
    rig.wait(60)
    await rig.adjust(ask("tpm", 1_000, -900))
    assert await rig.left(limit("tpm", 1_000)) == 1_000
    assert await rig.admits(ask("tpm", 1_000, 1_000))
    assert not await rig.admits(ask("tpm", 1_000, 1))


async def test_a_correction_of_places_is_none(rig: Rig) -> None:
    await rig.take(ask("concurrency", 2))
    await rig.adjust(ask("concurrency", 2, 5), ask("tpm", 10, 1))
    assert await rig.left(limit("concurrency", 2)) == 1
    assert await rig.left(limit("tpm", 10)) == 9


async def test_equal_names_share_a_bucket_and_others_do_not(rig: Rig) -> None:
    assert await rig.admits(ask("rpm", 1, bucket="all|gpt-5"))
    assert not await rig.admits(ask("rpm", 1, bucket="all|gpt-5"))
    assert await rig.admits(ask("rpm", 1, bucket="all|gpt-6"))
    assert await rig.admits(ask("rpd", 1, bucket="all|gpt-5"))


@pytest.mark.parametrize(
    "name", ["x" * 100_000, "model \ud800", "a\x00b", "{other}:tag", "Ünïcode ∞ 🚀", ""]
)
async def test_a_bucket_may_be_named_by_whatever_a_client_made_up(rig: Rig, name: str) -> None:
    assert await rig.admits(ask("rpm", 1, bucket=name))
    assert not await rig.admits(ask("rpm", 1, bucket=name))
    assert await rig.admits(ask("rpm", 1, bucket=name + "x"))


async def test_places_are_given_back_at_the_end_of_their_call(rig: Rig) -> None:
    two = limit("concurrency", 2)
    for lease in ("a", "b"):
        assert await rig.admits(ask("concurrency", 2), lease=lease)
    refused = await rig.take(ask("concurrency", 2), lease="c")
    assert not refused.admitted
    assert (refused.states[0].remaining, refused.states[0].wait_s) == (0, 1.0)
    await rig.release(two, "a")
    assert await rig.admits(ask("concurrency", 2), lease="c")


async def test_a_second_release_frees_no_second_place(rig: Rig) -> None:
    two = limit("concurrency", 2)
    for lease in ("a", "b"):
        await rig.take(ask("concurrency", 2), lease=lease)
    for _ in range(3):
        await rig.release(two, "a")
        await rig.release(two, "never seen")
    assert await rig.left(two) == 1


async def test_a_call_that_asks_again_takes_no_second_place(rig: Rig) -> None:
    for _ in range(3):
        assert await rig.admits(ask("concurrency", 2), lease="a")
    assert await rig.left(limit("concurrency", 2)) == 1


async def test_an_expired_lease_frees_its_place(rig: Rig) -> None:
    assert await rig.admits(ask("concurrency", 1), lease="a")
    rig.wait(14.999_999)
    assert not await rig.admits(ask("concurrency", 1), lease="b")
    rig.wait(0.000_001)
    assert await rig.left(limit("concurrency", 1)) == 1
    assert await rig.admits(ask("concurrency", 1), lease="b")


async def test_a_renewed_lease_holds_its_place(rig: Rig) -> None:
    one = limit("concurrency", 1)
    await rig.take(ask("concurrency", 1), lease="a")
    for _ in range(10):
        rig.wait(5)
        await rig.renew(one, "a")
    assert not await rig.admits(ask("concurrency", 1), lease="b")
    rig.wait(15)
    assert await rig.admits(ask("concurrency", 1), lease="b")


async def test_a_call_that_still_runs_after_its_lease_expired_counts_again(rig: Rig) -> None:
    one = limit("concurrency", 1)
    await rig.take(ask("concurrency", 1), lease="a")
    rig.wait(20)
    await rig.renew(one, "a")
    assert not await rig.admits(ask("concurrency", 1), lease="b")


async def test_renewing_and_releasing_what_is_no_place_does_nothing(rig: Rig) -> None:
    await rig.take(ask("rpm", 3))
    await rig.renew(limit("rpm", 3), "call")
    await rig.release(limit("rpm", 3), "call")
    assert await rig.left(limit("rpm", 3)) == 2


async def test_looking_changes_nothing(rig: Rig) -> None:
    await rig.take(ask("rpm", 3, 3))
    rig.wait(30)
    before = await rig.look(limit("rpm", 3))
    assert (before.remaining, before.reset_s, before.wait_s) == (1, 30.0, 0.0)
    assert await rig.look(limit("rpm", 3)) == before
    assert (await rig.look(limit("rpm", 7, "new"))).remaining == 7


@pytest.mark.parametrize(
    ("used", "old", "new", "left"), [(0, 3, 10, 10), (3, 3, 10, 0), (4, 10, 20, 12), (10, 10, 3, 0)]
)
async def test_a_changed_limit_keeps_the_share_that_is_used(
    rig: Rig, used: int, old: int, new: int, left: int
) -> None:
    await rig.take(ask("rpm", old, used))
    assert await rig.left(limit("rpm", new)) == left
    assert await rig.admits(ask("rpm", new, left))
    assert not await rig.admits(ask("rpm", new, 1))


async def test_a_raised_limit_refills_at_the_new_pace(rig: Rig) -> None:
    await rig.take(ask("rpm", 1, 1))
    rig.wait(30)
    # half of the old, so half of the new, and from here on one a second
    assert await rig.left(limit("rpm", 60)) == 30
    await rig.take(ask("rpm", 60, 30))
    rig.wait(1)
    assert await rig.left(limit("rpm", 60)) == 1


@pytest.mark.parametrize("back_s", [0.5, 3_600])
async def test_a_clock_that_goes_back_gives_and_takes_nothing(rig: Rig, back_s: float) -> None:
    await rig.take(ask("rpm", 60, 60))
    rig.wait(10)
    assert await rig.left(limit("rpm", 60)) == 10
    assert await rig.admits(ask("rpm", 60, 1))
    rig.wait(-back_s)
    assert await rig.admits(ask("rpm", 60, 9))
    assert not await rig.admits(ask("rpm", 60, 1))
    rig.wait(1.5)
    assert await rig.admits(ask("rpm", 60, 1))


async def test_two_hundred_at_once_get_a_hundred_places_of_a_hundred(rig: Rig) -> None:
    takes = [rig.admits(ask("rpm", 100), ask("tpm", 10**6, 9), lease=str(n)) for n in range(200)]
    assert sum(await asyncio.gather(*takes)) == 100
    assert await rig.left(limit("tpm", 10**6)) == 10**6 - 900


async def test_two_hundred_at_once_get_a_hundred_leases_of_a_hundred(rig: Rig) -> None:
    takes = [rig.admits(ask("concurrency", 100), lease=str(n)) for n in range(200)]
    assert sum(await asyncio.gather(*takes)) == 100


async def test_amounts_beyond_what_a_double_holds_are_exact(rig: Rig) -> None:
    """180 million tokens a minute times its microseconds are above 2^53, a day's far above."""
    cases: list[tuple[Kind, int, int]] = [
        ("tpm", 180_000_001, 60),
        ("tpd", 15_000_000_007, 86_400),
    ]
    for kind, amount, period_s in cases:
        huge = limit(kind, amount)
        await rig.take(ask(kind, amount, amount))
        rig.wait(1.234_567)
        used = amount * period_s * 1_000_000 - 1_234_567 * amount
        free = (amount * period_s * 1_000_000 - used) // (period_s * 1_000_000)
        told = await rig.look(huge)
        assert told.remaining == free
        assert told.reset_s == -(-used // amount) / 1e6
