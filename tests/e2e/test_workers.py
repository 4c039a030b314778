"""`serve --workers N`: one port, N processes, and nothing lost when one of them comes or goes."""

import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import psutil
import pytest

from tests.e2e.calls import eventually
from tests.limits.server import Server, executable
from tests.support.clients import RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import Keys, environment, merged, settings
from tests.support.gateway_settings import clean_environment
from tests.support.load import BODY, CHAT, Caller, Load
from tests.support.relay import RelayThread
from tests.support.served import Several, free_ports

LONG_S = 90.0
REQUESTS = "openai_gateway_requests_total"
type Start = Callable[..., Several]


@contextmanager
def starter(fake: FakeOpenAIThread, relay: RelayThread, keys: Keys) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(config: dict[str, Any] | None = None, **how: Any) -> Several:
            whole = merged(settings(relay.url, fake.ca_pem_path), config or {})
            return stack.enter_context(Several(whole, environment(keys), **how))

        yield start


@pytest.fixture
def start(fake: FakeOpenAIThread, relay: RelayThread, keys: Keys) -> Iterator[Start]:
    with starter(fake, relay, keys) as made:
        yield made


@pytest.fixture(scope="module")
def the_two(the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys) -> Iterator[Several]:
    """Two workers for the tests of this module, each of which leaves two that serve."""
    with starter(the_fake, the_relay, keys) as made:
        yield made()


@pytest.fixture
def two(the_two: Several, fake: FakeOpenAIThread, relay: RelayThread) -> Several:
    del fake, relay  # emptied before the test
    return the_two


def call(process: Several, key: str) -> int:
    """One call on a connection of its own, by a client as patient as the tests are."""
    with RawH1(replace(process.way, wait_s=LONG_S).tls()) as client:
        return client.call("POST", CHAT, key, BODY).status


def at_once(process: Several, key: str, calls: int) -> list[int]:
    """So many calls, each on a connection of its own, all under way together."""
    with concurrent.futures.ThreadPoolExecutor(calls) as pool:
        return list(pool.map(lambda _: call(process, key), range(calls)))


def logged(process: Several, ids: list[str]) -> bool:
    """Whether each of these calls has its row, and no two share one."""

    def all_there() -> bool:
        return set(ids) <= {row["id"] for row in process.rows(0)}

    return len(set(ids)) == len(ids) and eventually(all_there, 5)


@contextmanager
def scraping(process: Several) -> Iterator[set[int]]:
    """The statuses of all the scrapes, without a pause, of both workers' ports."""
    statuses: set[int] = set()
    done = threading.Event()

    def scrape() -> None:
        while not done.is_set():
            statuses.update(process.page(number, "/metrics")[0] for number in (1, 2))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scraper = pool.submit(scrape)
        try:
            yield statuses
        finally:
            done.set()
        scraper.result()


def gone(pids: list[int]) -> bool:
    return not any(map(lives, pids))


def lives(pid: int) -> bool:
    """Nobody may be there to bury the child of a parent that was killed."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_both_serve_and_their_counts_add_up_to_the_calls_and_the_rows(
    two: Several, keys: Keys, fake: FakeOpenAIThread
) -> None:
    statuses: list[int] = []
    until = time.monotonic() + LONG_S
    while not all(two.counts(REQUESTS)) and time.monotonic() < until:
        statuses += at_once(two, keys.production, 8)
    assert all(two.counts(REQUESTS))
    assert set(statuses) == {200}
    assert sum(two.counts(REQUESTS)) == len(statuses) == len(fake.requests)
    assert len(two.rows(len(statuses))) == len(statuses)
    assert two.output().count("made a certificate authority") == 1


def test_an_ephemeral_key_minted_at_one_worker_passes_at_the_others(
    two: Several, keys: Keys
) -> None:
    with RawH1(two.way.tls()) as client:
        reply = client.call("POST", "/v1/realtime/client_secrets", keys.production, b"{}")
    assert reply.status == 200
    minted = reply.json()["value"]
    before = two.counts(REQUESTS, status="200")
    until = time.monotonic() + LONG_S
    served = [0.0]
    while not all(served) and time.monotonic() < until:
        assert set(at_once(two, minted, 8)) == {200}
        now = two.counts(REQUESTS, status="200")
        served = [late - early for late, early in zip(now, before, strict=True)]
    assert all(served)


def test_a_killed_worker_is_back_and_only_its_open_connections_notice(
    two: Several, keys: Keys
) -> None:
    before = two.processes()
    victim = next(pid for pid, number in before.items() if number == 2)
    with Load([Caller(two.way, keys.production) for _ in range(4)]) as load:
        assert eventually(lambda: load.calls > 20, LONG_S)
        os.kill(victim, signal.SIGKILL)
        assert eventually(lambda: "worker 2 was ended by SIGKILL" in two.output())
        at = load.calls
        assert eventually(lambda: load.calls > at + 20, LONG_S)
        assert eventually(lambda: "worker 2 serves again" in two.output(), LONG_S)
    assert load.refused == []
    # at most the one call that each client had under way there
    assert all(len(each.faults) <= 1 for each in load.callers)
    after = two.processes()
    assert sorted(after.values()) == [1, 2]
    assert set(before) - set(after) == {victim}
    assert two.page(2, "/readyz")[0] == 200


def test_a_worker_that_hangs_holds_no_new_connection(two: Several, keys: Keys) -> None:
    hung = next(pid for pid, number in two.processes().items() if number == 1)
    os.kill(hung, signal.SIGSTOP)
    try:
        assert set(at_once(two, keys.production, 8)) == {200}
    finally:
        os.kill(hung, signal.SIGCONT)


@pytest.mark.timeout(400)
def test_a_rolling_restart_loses_no_call_and_no_scrape(
    two: Several, keys: Keys, fake: FakeOpenAIThread
) -> None:
    gate = threading.Event()
    fake.knobs.add(CHAT, gate=gate, times=1)
    before = list(two.processes())
    ways = [(True, "h1"), (True, "h1"), (False, "h1"), (True, "h2")]
    callers = [Caller(two.way, keys.production, keeps, version) for keeps, version in ways]
    with concurrent.futures.ThreadPoolExecutor(1) as pool, RawH1(two.way.tls()) as idle:
        under_way = pool.submit(call, two, keys.production)
        fake.wait_for(lambda requests: len(requests) == 1)
        assert idle.call("POST", CHAT, keys.production, BODY).status == 200
        with Load(callers) as load, scraping(two) as scrapes:
            assert eventually(lambda: load.calls > 20, LONG_S)
            two.signal(signal.SIGHUP)
            assert eventually(lambda: "all workers were replaced" in two.output(), 2 * LONG_S)
            served = load.calls
            assert eventually(lambda: load.calls > served + 20, LONG_S)
            # an idle connection is closed, without a word, between calls
            idle.sock.settimeout(LONG_S)
            assert idle.sock.recv(1) == b""
            assert eventually(lambda: sum(map(lives, before)) == 1, LONG_S)
        # the call that was under way goes on in the worker that another has replaced
        assert not under_way.done()
        gate.set()
        assert under_way.result() == 200
    assert (load.faults, load.refused) == ([], [])
    assert scrapes == {200}
    assert all(each.told_to_close for each in callers[:2])
    assert logged(two, load.ids)
    assert len(fake.requests) == load.calls + 2
    assert eventually(lambda: gone(before), LONG_S)
    assert sorted(two.processes().values()) == [1, 2]


def test_a_bad_file_replaces_no_worker(two: Several, keys: Keys) -> None:
    before = two.processes()
    good = two.config_path.read_text()
    two.write_text(good + "\nnonsense: 1\n")
    try:
        two.signal(signal.SIGHUP)
        assert eventually(lambda: "worker 1 was not replaced" in two.output(), LONG_S)
        assert "nonsense" in two.output()
        assert call(two, keys.production) == 200
        assert two.processes() == before
    finally:
        two.write_text(good)


def test_limits_that_workers_would_not_share_are_not_reloaded(two: Several) -> None:
    last = "openai_gateway_config_last_reload_successful"
    assert eventually(lambda: two.counts(last) == [1, 1], LONG_S)
    two.reload({"limits": {"rules": [{"rpm": 3}]}})
    try:
        assert eventually(lambda: two.counts(last) == [0, 0], LONG_S)
        assert "limits.store: is memory, which 2 workers do not share" in two.output()
    finally:
        two.reload({})
    assert eventually(lambda: two.counts(last) == [1, 1], LONG_S)


@pytest.mark.parametrize(
    "config",
    [{"limits": {"tier": 1}}, {"budgets": [{"name": "day", "usd": 5, "period": "day"}]}],
    ids=["limits", "budgets"],
)
def test_what_workers_would_not_share_stops_the_start(start: Start, config: dict[str, Any]) -> None:
    process = start(config, wait=False)
    assert process.wait_exit() == 1
    told = [line for line in process.output().splitlines() if "limits.store" in line]
    assert len(told) == 1
    assert re.match(r"gateway\.yaml:\d+:1: limits\.store: is memory", told[0])
    assert "name a store that all of them share (redis://…)" in told[0]


def test_a_wrong_file_is_told_once(start: Start) -> None:
    process = start({"upstreem": {}}, wait=False, workers=3)
    assert process.wait_exit() == 1
    assert process.output().count("upstreem") == 1


def test_what_only_a_worker_finds_is_told_once_and_stops_all(start: Start) -> None:
    process = start({"environment": "production"}, wait=False, workers=3)
    assert process.wait_exit(LONG_S) == 1
    assert process.output().count("run `openai-gateway ca create`") == 1
    assert "worker 1 ended with exit code 1: nothing is started" in process.output()


def test_a_port_in_use_is_one_error(two: Several) -> None:
    ended = subprocess.run(  # noqa: S603  # our own command, once more
        two.command(), cwd=two.folder, env={**clean_environment(), **two.env},
        capture_output=True, text=True, timeout=LONG_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"--listen: cannot listen on 127.0.0.1:{two.port}: Address already in use" in line
    assert ended.stdout == ""


def test_a_metrics_port_in_use_names_its_worker(start: Start) -> None:
    port = free_ports(2)
    with socket.create_server(("127.0.0.1", port + 1)):
        process = start({"metrics": {"listen": f"127.0.0.1:{port}"}}, wait=False)
        assert process.wait_exit() == 1
    assert f"cannot listen on 127.0.0.1:{port + 1} for worker 2" in process.output()


@pytest.mark.parametrize("to_all", [False, True], ids=["to the parent", "to the whole group"])
def test_sigterm_lets_calls_end_and_leaves_no_process(
    start: Start, keys: Keys, fake: FakeOpenAIThread, to_all: bool
) -> None:
    fake.knobs.add(CHAT, delay_s=1.0)
    process = start()
    pids = list(process.processes())
    assert len(pids) == 2
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(call, process, keys.production) for _ in range(4)]
        fake.wait_for(lambda requests: len(requests) == 4)
        if to_all:
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.signal(signal.SIGTERM)
        assert process.wait_exit(LONG_S) == 0
        assert [each.result() for each in under_way] == [200] * 4
    assert gone(pids)
    assert len(process.rows(4)) == 4


def test_workers_end_by_themselves_when_their_parent_is_killed(start: Start) -> None:
    process = start()
    pids = list(process.processes())
    assert len(pids) == 2
    os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: gone(pids), 10)


@pytest.mark.skipif(executable() is None, reason="there is no redis-server")
def test_a_limit_in_redis_holds_over_all_workers(start: Start, keys: Keys) -> None:
    pytest.importorskip("redis")
    server = Server()
    try:
        process = start({"limits": {"store": server.url, "rules": [{"rpd": 6}]}})
        statuses: list[int] = []
        until = time.monotonic() + LONG_S
        while not all(process.counts(REQUESTS)) and time.monotonic() < until:
            statuses += at_once(process, keys.production, 8)
        assert all(process.counts(REQUESTS))
        assert statuses.count(200) == 6
        assert statuses.count(429) == len(statuses) - 6
    finally:
        server.remove()
