"""In which period a moment lies: months of every length, weeks, and clocks that are set."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.budgets.period import HOUR_S, Kind, Span, span_at, told

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Cairo"),
    *("America/Havana", "Pacific/Auckland", "Pacific/Apia", "America/St_Johns"),
)
MOMENTS = st.integers(
    int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2036, 1, 1, tzinfo=UTC).timestamp()),
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("kind", "zone", "now", "start", "end"),
    [
        ("hour", "UTC", "2026-11-24T12:59:59.9Z", "2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"),
        ("hour", "Asia/Kolkata", "2026-11-24T12:10Z", "2026-11-24T11:30Z", "2026-11-24T12:30Z"),
        ("day", "UTC", "2026-11-24T00:00:00Z", "2026-11-24T00:00Z", "2026-11-25T00:00Z"),
        ("day", "Europe/Berlin", "2026-11-24T23:30Z", "2026-11-24T23:00Z", "2026-11-25T23:00Z"),
        ("day", "America/New_York", "2026-11-24T04:59Z", "2026-11-23T05:00Z", "2026-11-24T05:00Z"),
        # the clocks go forward: 23 hours; and back: 25
        ("day", "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("day", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        # in Cairo they skip midnight itself, in Havana it comes twice
        ("day", "Africa/Cairo", "2026-04-24T12:00Z", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        ("day", "America/Havana", "2026-11-01T05:30Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        # the hour that comes twice is two
        ("hour", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z"),
        ("hour", "Europe/Berlin", "2026-10-25T01:30Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"),
        # Tuesday; Sunday's last second; Monday's first
        ("week", "UTC", "2026-11-24T12:00Z", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),
        ("week", "UTC", "2026-11-29T23:59:59Z", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),
        ("week", "UTC", "2026-11-30T00:00Z", "2026-11-30T00:00Z", "2026-12-07T00:00Z"),
        ("week", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z"),
        ("month", "UTC", "2026-11-30T23:59:59Z", "2026-11-01T00:00Z", "2026-12-01T00:00Z"),
        ("month", "UTC", "2026-02-10T00:00Z", "2026-02-01T00:00Z", "2026-03-01T00:00Z"),
        ("month", "UTC", "2028-02-29T12:00Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("month", "UTC", "2026-12-31T12:00Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("month", "Europe/Berlin", "2026-10-01T00:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"),
    ],
)
def test_the_period_that_a_moment_lies_in(
    kind: Kind, zone: str, now: str, start: str, end: str
) -> None:
    moment = datetime.fromisoformat(now).timestamp()
    assert span_at(kind, zone, moment) == Span(at(start), at(end))


def test_a_total_has_no_end() -> None:
    assert span_at("total", "Europe/Berlin", at("2026-11-24T12:00Z")) == Span(0, None)
    assert Span(0, None).holds(4e9)


@given(st.sampled_from(["hour", "day", "week", "month"]), st.sampled_from(ZONES), MOMENTS)
def test_every_moment_lies_in_one_period_and_the_next_begins_where_it_ends(
    kind: Kind, zone: str, now: int
) -> None:
    span = span_at(kind, zone, now)
    assert span.end is not None
    assert span.holds(now)
    assert not span.holds(span.end)
    for inside in (span.start, span.end - 1):
        assert span_at(kind, zone, inside) == span
    assert span_at(kind, zone, span.end).start == span.end


@given(st.sampled_from(ZONES), MOMENTS)
def test_days_are_about_as_long_as_days_and_months_as_months(zone: str, now: int) -> None:
    day, month = span_at("day", zone, now), span_at("month", zone, now)
    assert day.end is not None
    assert month.end is not None
    assert 23 * HOUR_S <= day.end - day.start <= 25 * HOUR_S
    # Apia left out the 30th of December 2011
    assert 27 * 24 <= (month.end - month.start) // HOUR_S <= 31 * 24 + 1


def test_an_instant_as_users_read_it() -> None:
    assert told(at("2026-11-25T00:00:00Z")) == "2026-11-25T00:00:00Z"
    assert told(None) is None
