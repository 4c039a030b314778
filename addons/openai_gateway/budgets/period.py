"""In which period a moment lies: its first instant, and the first that is no longer in it.

Hours, days, weeks and months begin as a clock on the wall of their time zone says, so a day has 23,
24 or 25 hours; a week begins on Monday. A `total` has no end.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

type Kind = Literal["hour", "day", "week", "month", "total"]

HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds since the epoch: from `start` on, until before `end`; None where it never ends."""

    start: int
    end: int | None

    def holds(self, now: float) -> bool:
        """Whether the moment lies in it."""
        return self.start <= now and (self.end is None or now < self.end)


def span_at(kind: Kind, zone: str, now: float) -> Span:
    """The period of this kind that the moment lies in."""
    if kind == "total":
        return Span(0, None)
    where = ZoneInfo(zone)
    here = datetime.fromtimestamp(now, where)
    if kind == "hour":
        return _hour(here, int(now // 1))
    first, following = _days(kind, here.date())
    return Span(_midnight(first, where), _midnight(following, where))


def _hour(here: datetime, now: int) -> Span:
    """By the offset and not by the clock's face: the hour that comes twice in autumn is two."""
    offset = here.utcoffset() or timedelta(0)
    start = now - (now + int(offset.total_seconds())) % HOUR_S
    return Span(start, start + HOUR_S)


def _days(kind: Kind, day: date) -> tuple[date, date]:
    """The first day, and the first day of the next."""
    if kind == "day":
        return day, day + timedelta(days=1)
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date, where: ZoneInfo) -> int:
    """When the day begins there. Where the clocks skip midnight, that is the moment they do."""
    return int(datetime.combine(day, time(), where).timestamp())


def told(moment: int | None) -> str | None:
    """An instant as users read it: 2026-11-25T00:00:00Z."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
