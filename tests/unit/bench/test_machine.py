"""What the benchmark reads from the kernel."""

import os
import time

import pytest

from tests.bench.machine import Others, busy_s, cpu_s, share_of
from tests.bench.memory import Blocks, grown

STAT = "cpu  100 5 50 9000 40 3 2 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"


def test_cpu_time_of_a_process_is_its_own_clock() -> None:
    before, own = cpu_s(os.getpid()), time.process_time()
    sum(range(300_000))
    spent, seen = time.process_time() - own, cpu_s(os.getpid()) - before
    assert seen == pytest.approx(spent, abs=0.005)
    assert seen > 0


def test_idle_and_waiting_are_not_work() -> None:
    assert busy_s(STAT) == pytest.approx((100 + 5 + 50 + 3 + 2 + 7) / os.sysconf("SC_CLK_TCK"))


@pytest.mark.parametrize(
    ("theirs", "whole", "share"), [(2.0, 4.0, 0.5), (-0.01, 4.0, 0.0), (5.0, 4.0, 1.0), (1, 0, 0)]
)
def test_the_share_of_others(theirs: float, whole: float, share: float) -> None:
    assert share_of(theirs, whole) == share


def test_own_work_is_not_that_of_others() -> None:
    mine, everybody = Others((os.getpid(),)), Others(())
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    assert everybody.share() - mine.share() > 0.2 / (os.cpu_count() or 1) / 4


def test_memory_that_grows_is_told_from_memory_that_is_high() -> None:
    slow = [1000.0] * 6
    noop, flat = Blocks([100.0] * 6, slow), Blocks([130.0] * 6, slow)
    grows = Blocks([100.0 + 20 * n for n in range(6)], slow)
    high, leak = (
        [figure.verdict for figure in grown(noop, gateway, 1000, 0.0)] for gateway in (flat, grows)
    )
    assert high == ["ok", "ok", "ok"]
    assert leak == ["MISSED", "MISSED", "ok"]


def test_a_gateway_that_gets_slower_is_told_from_a_machine_that_does() -> None:
    memory = [100.0] * 6
    steady, slower = Blocks(memory, [1000.0] * 6), Blocks(memory, [1000.0] * 5 + [2000.0])
    assert grown(slower, slower, 1000, 0.0)[2].verdict == "ok"
    assert grown(steady, slower, 1000, 0.0)[2].verdict == "MISSED"
    assert grown(steady, slower, 100, 0.0)[2].verdict == "-"
