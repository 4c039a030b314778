"""The system's clock tells wall time, and a time that only goes forward."""

import time

from openai_gateway.core.clock import SystemClock


def test_wall_time_is_the_machine_s_and_monotonic_time_goes_forward() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    first = clock.monotonic()
    assert clock.monotonic() >= first
    assert abs(first - time.monotonic()) < 5
