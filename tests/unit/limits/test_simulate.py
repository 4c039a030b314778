"""What limits would have done with a log, against values worked out by hand."""

import math
from pathlib import Path

import pytest

from openai_gateway.limits.gauges import MOST_TOLD, OTHERS
from openai_gateway.limits.simulate import HEARD_EVERY, Terms, simulate
from openai_gateway.limits.tiers import Tiers
from tests.unit.limits.simulation import BEGAN, SECOND, came, delays, limited, refusals, run

TIERS = Tiers.load(Path("rules/limits.yaml"))


def test_an_empty_log_is_no_calls() -> None:
    found = run([], {"rpm": 1})
    assert (found.calls, found.refused, found.began_us, found.ended_us) == (0, 0, None, None)
    assert found.share == 0.0
    assert not found.tallies


def test_of_five_calls_at_once_rpm_3_refuses_two_for_20_s() -> None:
    found = run([came(0, id=str(n)) for n in range(5)], {"rpm": 3})
    assert refusals(found) == [(0, "rpm", 20.0), (0, "rpm", 20.0)]
    (tally,) = found.tallies
    assert (tally.calls, tally.refused, tally.longest_s, tally.used_share) == (5, 2, 20.0, 1.0)
    assert found.share == 0.4


def test_what_was_given_back_meanwhile_shortens_the_wait() -> None:
    """rpm 3 gives one back every 20 s: after 0.6 s the fourth has 19.4 s to wait."""
    found = run([came(at) for at in (0, 0.2, 0.4, 0.6, 0.8, 20.0)], {"rpm": 3})
    assert refusals(found) == [(0.6, "rpm", 19.4), (0.8, "rpm", 19.2)]
    assert found.first is not None
    assert found.first.call.at_us == BEGAN + 600_000 == found.tallies[0].first_us


def test_tokens_are_reserved_and_corrected_at_the_end() -> None:
    """900 of 1,000 are reserved; after half a second 891 2/3 are used, so that 200 more have
    91 2/3 / 16 2/3 = 5.5 s to wait. At its end, after a second, 750 are given back."""
    found = run(
        [
            came(0, input_tokens=100, output_tokens=50, most=800, duration_us=SECOND),
            came(0.5, input_tokens=100, output_tokens=100, most=100),
            came(1.5, input_tokens=100, output_tokens=100, most=100),
        ],
        {"tpm": 1000},
    )
    assert refusals(found) == [(0.5, "tpm", 5.5)]
    assert found.tallies[0].used_share == 0.9


def test_a_call_that_used_more_than_was_reserved_is_charged_it_below_zero() -> None:
    """10 were reserved of 60, 1,560 used. A second later 1,559 are; two more than the 60 hold wait
    for 1,501 at 1 a second."""
    calls = [
        came(0, input_tokens=5, output_tokens=1555, most=5),
        came(1, input_tokens=1, output_tokens=1, most=1),
    ]
    assert refusals(run(calls, {"tpm": 60})) == [(1.0, "tpm", 1501.0)]


def test_without_a_maximum_the_output_is_what_the_model_lately_wrote_256_at_the_start() -> None:
    calls = [
        came(0, input_tokens=44, output_tokens=6, duration_us=SECOND),
        came(2, input_tokens=44, output_tokens=6),
        came(2.000001, "gpt-5", input_tokens=44, output_tokens=6),
    ]
    assert [run([call], {"tpm": 300}).tallies[0].used_share for call in calls] == [1.0, 1.0, 1.0]
    # the second one reserves 44 + 6, and so leaves room for another of 250
    late = came(2.1, input_tokens=50, output_tokens=1, most=150)
    assert run([calls[0], calls[1], late], {"tpm": 300}).refused == 0
    assert run([calls[0], calls[2], late], {"tpm": 300}).refused == 1


def test_a_place_is_free_at_the_end_of_its_call_and_kept_for_long_ones() -> None:
    calls = [came(at, duration_us=SECOND) for at in (0, 0.1, 0.2, 1.0)]
    assert refusals(run(calls, {"concurrency": 2})) == [(0.2, "concurrency", 1.0)]
    long = [came(0, duration_us=100 * SECOND), came(16), came(99.999999), came(100)]
    assert [at for at, _, _ in refusals(run(long, {"concurrency": 1}))] == [16.0, 99.999999]


def test_waiting_calls_pass_in_order_and_those_that_would_wait_too_long_are_refused() -> None:
    calls = [came(n / 1000) for n in range(5)]
    found = run(calls, {"rpm": 3}, max_wait_s=30.0)
    assert delays(found) == [(0.003, 19.997)]
    # it came second in line, asks when the first has gone, and hears of 20 s more
    assert refusals(found) == [(0.004, "rpm", 20.0)]
    assert (found.delayed, found.refused, found.longest_delay_s) == (1, 1, 19.997)
    everybody = run(calls, {"rpm": 3}, max_wait_s=60.0)
    assert delays(everybody) == [(0.003, 19.997), (0.004, 39.996)]


def test_a_place_that_becomes_free_lets_the_next_in_line_go_on_at_once() -> None:
    calls = [came(at, duration_us=3 * SECOND // 2) for at in (0, 0.1, 0.2)]
    assert delays(run(calls, {"concurrency": 1}, max_wait_s=30.0)) == [(0.1, 1.4), (0.2, 2.8)]


def test_nobody_waits_for_what_can_never_pass() -> None:
    found = run([came(0, input_tokens=10, output_tokens=1, most=91)], {"tpm": 100}, max_wait_s=9.0)
    assert refusals(found) == [(0, "tpm", math.inf)]
    assert (found.tallies[0].too_large, found.tallies[0].longest_s) == (1, 0.0)


def test_twice_the_traffic_meets_what_the_traffic_itself_does_not() -> None:
    """A call every 10 s is what rpm 6 gives back. Every 5 s half a token is missing each time: the
    twelfth finds 5.5 of 6 used, and from then on every second one is refused."""
    calls = [came(10 * n) for n in range(20)]
    assert run(calls, {"rpm": 6}).refused == 0
    found = run(calls, {"rpm": 6}, scale=2.0)
    assert [at for at, _, _ in refusals(found)] == [110, 130, 150, 170, 190]
    assert run(calls, {"rpm": 6}, scale=0.5).tallies[0].used_share == pytest.approx(1 / 6)


def test_a_failed_call_gives_its_tokens_back_and_stays_a_request() -> None:
    failed = {"input_tokens": None, "output_tokens": None, "most": 90, "request_bytes": 40}
    calls = [
        came(0, ended="failed", duration_us=1000, **failed),
        came(1, input_tokens=10, output_tokens=90, most=90),
        came(2, input_tokens=10, output_tokens=90, most=90),
    ]
    rule = {"tpm": 100, "rpm": 2}
    assert refusals(run(calls, rule)) == [(2.0, "tpm", 59.0)]
    left = [came(0, ended="left", duration_us=1000, **failed), *calls[1:]]
    # its input of 10 stays charged: 40 bytes, 4 a token
    assert refusals(run(left, rule))[0][:2] == (1.0, "tpm")
    assert refusals(run([calls[0], came(1), came(2)], {"rpm": 2})) == [(2.0, "rpm", 28.0)]


def test_images_are_counted_and_given_back_where_they_failed() -> None:
    drawn = [came(n, endpoint="images.generate", images=2) for n in range(3)]
    assert refusals(run(drawn, {"ipm": 5})) == [(2.0, "ipm", 10.0)]
    failed = [drawn[0]._replace(ended="failed"), *drawn[1:]]
    assert run(failed, {"ipm": 5}).refused == 0


def test_embeddings_reserve_no_output_and_what_used_no_tokens_reserves_none() -> None:
    reads = came(0, endpoint="embeddings.create", input_tokens=100, output_tokens=0)
    assert run([reads], {"tpm": 100}).refused == 0
    heard = came(0, endpoint="audio.transcribe", input_tokens=0, output_tokens=0)
    assert run([heard], {"tpm": 1}).tallies[0].used_share == 0.0
    drawn = came(0, endpoint="images.generate", input_tokens=10, output_tokens=90)
    assert run([drawn], {"tpm": 100}).refused == 0


def test_what_never_ran_is_taken_to_run_as_its_model_lately_did() -> None:
    """The first reserves 80 and 256 and uses 100 in 2 s; the others then ask for 100, for 2 s."""
    ran = came(0, input_tokens=80, output_tokens=20, duration_us=2 * SECOND)
    never = {"input_tokens": None, "output_tokens": None, "duration_us": None, "ended": "refused"}
    calls = [ran, *(came(at, **never) for at in (100, 100.5, 101, 102))]
    assert refusals(run(calls, {"concurrency": 2})) == [(101.0, "concurrency", 1.0)]
    assert run(calls[:1], {"tpm": 336}).tallies[0].used_share == 1.0
    # 300 until 101, of which 5.6 are back; 5.6 more at 102: 288.8 and 100
    assert [at for at, _, _ in refusals(run(calls, {"tpm": 336}))] == [102.0]


def test_of_what_never_ran_and_no_call_of_its_model_did_the_size_tells_the_input() -> None:
    never = came(0, input_tokens=None, output_tokens=None, request_bytes=401, ended="refused")
    # 401 bytes are 101 tokens at 4 a token, and 256 out
    assert run([never], {"tpm": 357}).tallies[0].used_share == 1.0
    assert run([never], {"tpm": 356}).tallies[0].too_large == 1
    bound = never._replace(most=1000)  # of which 256 are used: 744 come back
    after = came(0.000001, input_tokens=10, output_tokens=10, most=733)
    assert run([bound, after], {"tpm": 1101}).refused == 0


def test_the_first_rule_of_a_kind_decides_and_a_refusal_takes_nothing_from_any() -> None:
    rulings = limited(
        {"match": {"model": "gpt-5*"}, "rpm": 1}, {"name": "all", "rpm": 100, "tpm": 100}
    )
    calls = [came(n / 10, input_tokens=20, output_tokens=20, most=20) for n in range(4)]
    calls.append(came(0.5, "o3", input_tokens=20, output_tokens=20, most=20))
    found = simulate(calls, rulings, Terms(listed=10))
    told = {(t.limit.kind, t.limit.rule): (t.calls, t.refused) for t in found.tallies}
    assert told == {("rpm", "rule-1"): (4, 3), ("tpm", "all"): (5, 0), ("rpm", "all"): (1, 0)}
    assert {met.limit.rule for met in found.met} == {"rule-1"}


def test_a_long_input_has_buckets_of_its_own_at_a_tier() -> None:
    rulings = limited(tiers=TIERS, tier=1)
    long = [came(n, "gpt-4.1", input_tokens=150_000, output_tokens=1, most=1) for n in range(2)]
    found = simulate(long, rulings, Terms())
    told = {(t.limit.rule, t.limit.kind): (t.limit.amount, t.calls) for t in found.tallies}
    assert told == {
        ("tier 1 long context", "tpm"): (200_000, 2),
        ("tier 1 long context", "rpm"): (100, 2),
    }
    assert found.refused == 1  # 150,001 and 150,001 of 200,000


def test_models_without_a_limit_are_counted() -> None:
    rule = {"match": {"model": "gpt-5*"}, "rpm": 1}
    found = run([came(0), came(1, "o3"), came(2, "o3"), came(3, "")], rule)
    assert found.unlimited == {"o3": 2, "": 1}
    assert found.models == {"gpt-5-mini": 1, "o3": 2, "": 1}
    assert (found.calls, found.refused, found.tallies[0].calls) == (4, 0, 1)


def test_a_clock_that_was_set_back_stands_still() -> None:
    calls = [came(100), came(10), came(100.5), came(-5000), came(121)]
    found = run(calls, {"rpm": 3})
    # they come at 100, 100, 100.5, 100.5 and 121
    assert refusals(found) == [(-5000.0, "rpm", 19.5)]
    assert found.set_back == 2
    assert (found.began_us, found.ended_us) == (BEGAN + 100 * SECOND, BEGAN + 121 * SECOND)


def test_more_buckets_than_are_told_are_told_as_one() -> None:
    calls = [came(n / 1000, f"m{n}", id=str(n)) for n in range(MOST_TOLD + 20)]
    calls += [came(30, f"m{MOST_TOLD + 5}", id="again"), came(30, "m5", id="once more")]
    found = run(calls, {"per": ("model",), "rpm": 1})
    assert len(found.tallies) == MOST_TOLD + 1
    assert (found.calls, found.refused) == (MOST_TOLD + 22, 2)
    others = next(t for t in found.tallies if t.limit.bucket.endswith(OTHERS))
    assert (others.calls, others.refused, others.used_share) == (21, 1, 1.0)
    assert found.models[OTHERS] == 21


def test_so_many_calls_are_kept_as_were_asked_for_and_all_are_counted() -> None:
    calls = [came(0, id=str(n)) for n in range(10)]
    found = simulate(calls, limited({"rpm": 3}), Terms(listed=2))
    assert [met.call.id for met in found.met] == ["3", "4"]
    assert found.refused == 7


def test_it_is_heard_how_far_it_has_come() -> None:
    heard: list[int] = []
    calls = (came(n / 1000, "") for n in range(2 * HEARD_EVERY + 1))
    simulate(calls, limited({"match": {"model": "x"}, "rpm": 1}), Terms(), heard.append)
    assert heard == [HEARD_EVERY, 2 * HEARD_EVERY]


def test_the_most_refused_limit_comes_first_then_the_nearest() -> None:
    rules = [
        {"name": name, "match": {"model": name}, "rpm": rpm}
        for name, rpm in (("a", 10), ("b", 4), ("c", 1))
    ]
    calls = [came(0, model, id=f"{model}{n}") for model in "abc" for n in range(2)]
    found = simulate(calls, limited(*rules), Terms())
    assert [t.limit.rule for t in found.tallies] == ["c", "b", "a"]
