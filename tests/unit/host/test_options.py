"""Options that would undo the gateway: refused at the start, and rolled back while running."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options as MitmOptions
from mitmproxy.test import taddons
from mitmproxy.tools.dump import DumpMaster

from openai_gateway.host import lean, options
from openai_gateway.host.addon import Gateway

# What differs from the default, for each refused option that this mitmproxy has.
VALUES: dict[str, Any] = {
    "map_remote": ["|a|b"],
    "map_local": ["|a|/x"],
    "modify_headers": ["/~q/x/y"],
    "modify_body": ["/~q/x/y"],
    "stickyauth": ".",
    "stickycookie": ".",
    "save_stream_file": "x",
    "hardump": "x",
    "client_replay": ["x"],
    "server_replay": ["x"],
    "rfile": "x",
    "ssl_insecure": True,
    "ssl_verify_upstream_trusted_confdir": ".",
    "stream_large_bodies": "1k",
    "store_streamed_bodies": True,
    "body_size_limit": "1m",
    "allow_hosts": ["x"],
    "ignore_hosts": ["x"],
    "tcp_hosts": ["x"],
    "udp_hosts": ["x"],
    "upstream_auth": "a:b",
    "proxyauth": "a:b",
    "block_list": ["/~all/403"],
    "certs": ["x"],
    "client_certs": "x",
    "add_upstream_certs_to_client_chain": True,
    "proxy_debug": True,
    "show_ignored_hosts": True,
}


class Changed:
    """mitmproxy's options with one other value, past the judgement of its own addons."""

    def __init__(self, real: MitmOptions, name: str, value: Any) -> None:
        self._real, self._name, self._value = real, name, value

    def __contains__(self, name: str) -> bool:
        return name in self._real

    def __getattr__(self, name: str) -> Any:
        return self._value if name == self._name else getattr(self._real, name)

    def default(self, name: str) -> Any:
        return self._real.default(name)


@pytest.fixture
async def all_options() -> MitmOptions:
    made = MitmOptions()
    DumpMaster(made, with_termlog=False).addons.get("errorcheck").finish()
    return made


async def test_every_refused_option_of_this_mitmproxy_is_refused(all_options: MitmOptions) -> None:
    present = {name for name in options.REFUSED if name in all_options}
    assert present == set(VALUES)
    for name, value in VALUES.items():
        found = options.faults(Changed(all_options, name, value), {})
        assert any(name in fault for fault in found), name
    assert options.faults(all_options, {}) == []


@pytest.mark.parametrize(
    "mode", ["upstream:http://127.0.0.1:1", "reverse:https://x", "transparent", "socks5", "local"]
)
async def test_only_the_regular_mode_is_accepted(all_options: MitmOptions, mode: str) -> None:
    found = options.faults(Changed(all_options, "mode", [mode]), {})
    assert any("mode" in fault for fault in found)
    assert options.faults(Changed(all_options, "mode", ["regular@8081"]), {}) == []


async def test_a_value_of_our_own_may_not_be_changed(all_options: MitmOptions) -> None:
    own = {"connection_strategy": "lazy"}
    assert any("lazy" in fault for fault in options.faults(all_options, own))
    all_options.connection_strategy = "lazy"
    assert options.faults(all_options, own) == []


def test_a_typo_is_named() -> None:
    assert "mapp_remote" in options.typos(["mapp_remote"])[0]


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gateway, Any]]:
    """A configured gateway inside mitmproxy's own test harness."""
    monkeypatch.setenv("OPENAI_API_KEY_PRODUCTION", "sk-proj-" + "FAKEprod" * 8)
    monkeypatch.setenv("OPENAI_API_KEY_STAGING", "sk-proj-" + "FAKEstag" * 8)
    monkeypatch.chdir(tmp_path)
    with taddons.context(loadcore=True) as context:
        context.options.add_option("scripts", list, [], "")
        addon = Gateway()
        context.master.addons.add(addon)
        context.configure(addon)
        yield addon, context


async def test_a_later_change_is_rolled_back(running: tuple[Gateway, Any]) -> None:
    gateway, context = running
    assert gateway.state.in_force is not None
    assert context.options.rawtcp is False
    for change in (
        {"ssl_insecure": True},
        {"ignore_hosts": ["x"]},
        {"upstream_cert": True},
        {"mode": ["socks5"]},
        {"ssl_verify_upstream_trusted_ca": "/etc/ssl/certs/ca-certificates.crt"},
    ):
        before = {name: getattr(context.options, name) for name in change}
        with pytest.raises(exceptions.OptionsError):
            context.options.update(**change)
        assert {name: getattr(context.options, name) for name in change} == before


async def test_what_is_not_needed_is_taken_out_and_what_stays_is_named() -> None:
    master = DumpMaster(MitmOptions(), with_termlog=True)
    master.addons.get("errorcheck").finish()
    gone = lean.strip(master.addons)
    stays = {getattr(addon, "name", type(addon).__name__.lower()) for addon in master.addons.chain}
    assert stays == {"proxyserver", "scriptloader", "nextlayer", "tlsconfig", "disableh2c"}
    assert all(master.addons.get(name) for name in ("core", "errorcheck", "termlog", "keepserving"))
    dangerous = "mapremote maplocal modifybody modifyheaders stickyauth stickycookie save savehar"
    assert {*dangerous.split(), "clientplayback", "serverplayback", "dumper"} <= set(gone)
    assert master.addons.get("mapremote") is None
    master.addons.get("termlog").uninstall()


def test_where_mitmproxy_has_changed_nothing_is_removed() -> None:
    assert lean.strip(object()) == ()
