"""Whether the gateway's two ports are free, or held by a gateway, which its answer proves."""

import errno
import ssl
from collections.abc import Callable

from openai_gateway.doctor.finding import Part, Told, told
from openai_gateway.doctor.holder import holder, taken
from openai_gateway.doctor.proof import REFUSED_TARGET
from openai_gateway.doctor.site import Site
from openai_gateway.doctor.wire import Address, Asked, Unreachable, ask_plain, connect_only
from openai_gateway.services import address_of


def look(site: Site) -> Told:
    """The port for clients, and on the gateway's own machine metrics.listen."""
    if site.remote:
        return told("ports", [_remote(site)])
    return told("ports", [_clients(site), _metrics(site)])


def _remote(site: Site) -> Part:
    if _is_gateway(site):
        return Part("pass", f"a gateway answers on {_shown(site.gateway)}")
    fix = "start the gateway there, name its address with --listen, or open the way to it"
    return Part("fail", f"no gateway answers on {_shown(site.gateway)}", fix)


def _clients(site: Site) -> Part:
    return _judged(site.wish.listen, "--listen", lambda: _is_gateway(site))


def _is_gateway(site: Site) -> bool:
    """A gateway refuses a tunnel to this name by a code of its own, and dials nothing for it; so
    it does to a client without a name, and no client's secret needs to be told."""
    try:
        told = connect_only(site.gateway, REFUSED_TARGET)
    except Unreachable:
        return False
    return told.code.startswith("gateway_")


def _metrics(site: Site) -> Part:
    if site.config is None:
        return Part("unknown", "metrics.listen is not known", "see `configuration`")
    said = site.config.metrics
    address = address_of(said.listen.host), said.listen.port
    if said.listen.port == 0:
        return Part("pass", "metrics.listen takes any free port")
    tls = _any_certificate() if said.tls else None
    return _judged(address, "metrics.listen", lambda: _is_admin(address, tls))


def _any_certificate() -> ssl.SSLContext:
    """Nothing is told to this server, and it is only to show its own name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _is_admin(address: Address, tls: ssl.SSLContext | None) -> bool:
    try:
        told = ask_plain(address, Asked("GET", "/healthz"), tls)
    except Unreachable:
        return False
    return told.status == 200 and told.body.replace(b" ", b"") == b'{"alive":true}'


def _judged(address: Address, name: str, proven: Callable[[], bool]) -> Part:
    error = taken(address)
    if error is None:
        return Part("pass", f"{_shown(address)} ({name}) is free")
    if error.errno != errno.EADDRINUSE:
        text = f"{_shown(address)} ({name}) cannot be listened on ({error.strerror})"
        return Part("fail", text, f"name another address with {name}")
    if proven():
        return Part("pass", f"{_shown(address)} ({name}) is held by a gateway")
    who = holder(address[1]) or "another process"
    return Part("fail", f"{_shown(address)} ({name}) is held by {who}", f"end it, or change {name}")


def _shown(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
