"""How the process itself stands: ready or not, and until when what it rests on is good.

Why metrics beside /readyz: an alert has to come before the certificate or the prices run out.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from openai_gateway.telemetry import meanings
from openai_gateway.telemetry.families import Families


class Condition:
    """Gauges of one process, in the registry of its other families."""

    def __init__(self, families: Families) -> None:
        self._ready = families.plain("ready", meanings.READY)
        self._authority_end = families.plain(
            "ca_not_after_timestamp_seconds", meanings.AUTHORITY_END
        )
        self._prices_day = families.plain("prices_as_of_timestamp_seconds", meanings.PRICES_DAY)

    def watch_ready(self, reasons: Callable[[], list[str]]) -> None:
        """Where it is read, at each scrape, what is in the way of being ready."""
        self._ready.set_function(lambda: 0.0 if reasons() else 1.0)

    def authority_ends(self, at: datetime) -> None:
        """When the certificate authority in force ends."""
        self._authority_end.set(at.timestamp())

    def prices_of(self, day: str) -> None:
        """Of which day (YYYY-MM-DD) the prices in force are."""
        start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        self._prices_day.set(start.timestamp())
