"""When a stream was held back, by the times at which its events came."""

import pytest

from openai_gateway.doctor.streams import judged


@pytest.mark.parametrize(
    ("came", "status"),
    [
        ([], "unknown"),
        ([0.0, 1.0, 2.0, 3.0], "unknown"),
        ([0.0, 0.01, 0.02, 0.03, 0.04], "fail"),
        ([0.0, 0.01, 0.02, 0.03, 0.05], "pass"),
        ([0.0, 1.0, 2.0, 3.0, 4.0], "pass"),
    ],
)
def test_events_that_come_all_at_once_were_held(came: list[float], status: str) -> None:
    assert judged(came).status == status
