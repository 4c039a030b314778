"""What `serve` hands to the host, and what it refuses before anything starts."""

import sys
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.main import main
from openai_gateway.host.worker import Worker


class Host(ModuleType):
    """Stands where the proxy would start: keeps what it was asked for."""

    def __init__(self, code: int) -> None:
        super().__init__("host")
        self.code = code
        self.calls: list[tuple[str | None, tuple[str, int]]] = []
        self.workers: list[Worker | None] = []

    def run(self, config: str | None, listen: tuple[str, int], one: Worker | None) -> int:
        self.calls.append((config, listen))
        self.workers.append(one)
        return self.code


def serve(monkeypatch: pytest.MonkeyPatch, *arguments: str, code: int = 0) -> tuple[Host, Result]:
    stand_in = Host(code)
    monkeypatch.setitem(sys.modules, "openai_gateway.host.serve", stand_in)
    return stand_in, CliRunner().invoke(main, ["serve", *arguments])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (None, ("127.0.0.1", 8080))),
        (["--config", "staging.yaml"], ("staging.yaml", ("127.0.0.1", 8080))),
        (["--listen", "192.0.2.1:9000"], (None, ("192.0.2.1", 9000))),
        (["--listen", "[::1]:9000"], (None, ("::1", 9000))),
        (["--listen", "gateway.internal:1", "--workers", "1"], (None, ("gateway.internal", 1))),
    ],
)
def test_hands_configuration_and_address_to_the_host(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    expected: tuple[str | None, tuple[str, int]],
) -> None:
    stand_in, result = serve(monkeypatch, *arguments)
    assert result.exit_code == 0
    assert stand_in.calls == [expected]


@pytest.mark.parametrize("code", [0, 1])
def test_exit_code_is_the_host_s(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    assert serve(monkeypatch, code=code)[1].exit_code == code


@pytest.mark.parametrize(
    "listen",
    [
        "8080",
        ":8080",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:²",
        "::1:80",
        "[]:80",
        "[h]:80",
    ],
)
def test_a_wrong_address_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    stand_in, result = serve(monkeypatch, "--listen", listen)
    assert result.exit_code == 2
    assert "HOST:PORT" in result.output
    assert stand_in.calls == []


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_a_number_of_workers_that_cannot_be_had_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    stand_in, result = serve(monkeypatch, "--workers", workers)
    assert result.exit_code == 2
    assert "--workers" in result.output
    assert stand_in.calls == []


def test_several_workers_have_a_parent_and_it_never_sees_mitmproxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str | None, tuple[str, int], int]] = []
    parent = ModuleType("parent")
    parent.run = lambda *what: asked.append(what) or 1  # type: ignore[attr-defined,func-returns-value]
    monkeypatch.setitem(sys.modules, "openai_gateway.host.workers", parent)
    stand_in, result = serve(monkeypatch, "--config", "g.yaml", "--workers", "4")
    assert (asked, stand_in.calls) == ([("g.yaml", ("127.0.0.1", 8080), 4)], [])
    assert result.exit_code == 1


def test_a_worker_is_told_who_it_is_whatever_the_number_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in, result = serve(monkeypatch, "--workers", "4", "--as-worker", "2/4:5:6:7")
    assert result.exit_code == 0
    assert stand_in.workers == [Worker(2, 4, (5,), 6, 7)]


def test_what_only_the_parent_says_is_not_shown_and_not_taken_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "--as-worker" not in CliRunner().invoke(main, ["serve", "--help"]).output
    stand_in, result = serve(monkeypatch, "--as-worker", "mine")
    assert result.exit_code == 2
    assert stand_in.calls == []
