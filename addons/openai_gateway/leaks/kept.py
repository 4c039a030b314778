"""Takes secrets out of what the log keeps: all of them, whatever is done about them on the wire."""

from openai_gateway.core.clock import Clock
from openai_gateway.leaks.policy import Actions
from openai_gateway.leaks.reading.budget import budget_for
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.reading.read import read_text


def without_secrets(data: bytes, detector: Detector, clock: Clock) -> bytes | None:
    """The text redacted; None where something in it cannot be taken out."""
    judge = Actions("redact", (), clock, always="redact")
    reading = read_text(
        data, "a stored body", "body", detector, judge, budget_for(len(data), clock)
    )
    return None if any(done == "block" for _, done in reading.findings) else reading.data
