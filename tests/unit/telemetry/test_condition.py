"""The gauges that tell how the process stands."""

from datetime import UTC, datetime

import pytest

from openai_gateway.telemetry.condition import Condition
from openai_gateway.telemetry.families import Families


@pytest.fixture
def families() -> Families:
    return Families(100, "Overflows.")


def value(families: Families, name: str) -> float | None:
    return families.registry.get_sample_value(f"openai_gateway_{name}")


def test_a_process_is_not_ready_until_it_says_so(families: Families) -> None:
    condition = Condition(families)
    assert value(families, "ready") == 0
    reasons = ["starting"]
    condition.watch_ready(lambda: reasons)
    assert value(families, "ready") == 0
    reasons.clear()
    assert value(families, "ready") == 1
    reasons.append("draining")
    assert value(families, "ready") == 0


def test_ends_and_days_are_seconds_since_the_epoch(families: Families) -> None:
    condition = Condition(families)
    condition.authority_ends(datetime(2027, 11, 24, 12, tzinfo=UTC))
    condition.prices_of("2026-11-24")
    assert value(families, "ca_not_after_timestamp_seconds") == 1_827_057_600
    assert value(families, "prices_as_of_timestamp_seconds") == 1_795_478_400


def test_a_day_that_is_none_is_refused(families: Families) -> None:
    with pytest.raises(ValueError, match="yesterday"):
        Condition(families).prices_of("yesterday")
