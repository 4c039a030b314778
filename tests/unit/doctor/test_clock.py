"""By how much this machine's clock may be wrong."""

import pytest

from openai_gateway.doctor.clock import judged
from tests.unit.doctor.rig import only


@pytest.mark.parametrize(
    ("ahead", "status", "said"),
    [
        (4.9, "pass", "within 5 s"),
        (-4.9, "pass", "within 5 s"),
        (5.0, "warn", "5 s ahead of this machine"),
        (-59.0, "warn", "59 s behind this machine"),
        (60.0, "fail", "60 s ahead of this machine"),
        (-7200.0, "fail", "7200 s behind this machine"),
    ],
)
def test_seconds_off(ahead: float, status: str, said: str) -> None:
    found = only(judged({"OpenAI": ahead}))
    assert (found.status, found.evidence) == (status, f"OpenAI: {said}")


def test_the_worst_clock_counts() -> None:
    found = only(judged({"Redis": 0.1, "OpenAI": 90}))
    assert (found.status, found.evidence) == (
        "fail", "OpenAI: 90 s ahead of this machine; Redis: within 5 s",
    )  # fmt: skip


def test_without_another_clock_it_is_unknown() -> None:
    assert only(judged({})).status == "unknown"
