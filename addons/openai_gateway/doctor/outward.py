"""Whether OpenAI answers the way that the gateway takes, and no other way from this machine.

No key is sent: without one OpenAI answers 401 in its envelope, and so proves itself.
"""

import base64
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Literal

import certifi

from openai_gateway.config.load import Loaded
from openai_gateway.config.places import Proxy
from openai_gateway.doctor.finding import Part, Told, told, unknown
from openai_gateway.doctor.site import Site
from openai_gateway.doctor.wire import HTTPS, WAIT_S, Address, Asked, Reply, Route, Unreachable, ask
from openai_gateway.host.authority import HOST

_REACH: Final = "open the way to it for the gateway, or set upstream.proxy or upstream.ca_file"
_CLOSE: Final = "close it in the network: README, `Close the direct way`"

type Way = Literal["open", "closed", "intercepted"]


def upstream(site: Site) -> Told:
    """Each of upstream.hosts, through upstream.proxy, by upstream.ca_file."""
    if site.loaded is None:
        return unknown(("upstream",), "gateway.yaml cannot be used", "see `configuration`")
    said = site.loaded.config.upstream
    if said.proxy is not None and said.proxy.scheme != "http":
        text = "upstream.proxy speaks TLS itself, which doctor cannot"
        return unknown(("upstream",), text, "make a call through the gateway")
    try:
        trust = _trust(site.loaded)
    except OSError as error:
        text = f"upstream.ca_file cannot be used ({type(error).__name__})"
        return told("upstream", [Part("fail", text, "name a PEM file that is there")])
    routes = [_route(host, trust, said.proxy) for host in said.hosts]
    found = _together(routes)
    dated = [off for _, off in found if off is not None]
    clocks = {"OpenAI": dated[0]} if dated else {}
    return told("upstream", [part for part, _ in found], clocks)


def _trust(loaded: Loaded | None) -> ssl.SSLContext:
    """What the gateway trusts upstream. Raises: OSError."""
    named = loaded.config.upstream.ca_file if loaded else None
    path = loaded.path_of(named) if loaded and named else certifi.where()
    return ssl.create_default_context(cafile=str(path))


def _route(host: str, trust: ssl.SSLContext, proxy: Proxy | None) -> Route:
    if proxy is None:
        return Route(host, trust)
    return Route(host, trust, (proxy.host, proxy.port), _login(proxy))


def _login(proxy: Proxy) -> Mapping[str, str]:
    if proxy.auth is None:
        return {}
    coded = base64.b64encode(proxy.auth.secret.reveal().encode()).decode()
    return {"Proxy-Authorization": f"Basic {coded}"}


def _together(routes: Sequence[Route]) -> list[tuple[Part, float | None]]:
    """In daemons, as one that is answered byte by byte for hours must not keep the process."""
    found: dict[int, tuple[Part, float | None]] = {}

    def one(number: int, route: Route) -> None:
        found[number] = _asked(route)

    asking = [threading.Thread(target=one, args=each, daemon=True) for each in enumerate(routes)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return [found[number] for number in range(len(routes))]


def _asked(route: Route) -> tuple[Part, float | None]:
    try:
        reply = ask(route, Asked("GET", "/v1/models"))
    except Unreachable as error:
        text = str(error) if route.host in str(error) else f"{route.host}: {error}"
        return Part("fail", text, _REACH), None
    return judged(route.host, reply), ahead(reply)


def judged(host: str, reply: Reply) -> Part:
    """What answers there, to a call without a key."""
    if reply.status == 401 and reply.error is not None:
        return Part("pass", f"{host} answers, its certificate verified")
    if reply.error is not None:
        text = f"{host} answers {reply.status} {reply.code} to a call without a key"
        return Part("warn", text, "status.openai.com, or the region: is it served from here?")
    text = f"{host} answers {reply.status}, not as OpenAI does"
    return Part("fail", text, "something answers in its place: look at the way there")


def ahead(reply: Reply) -> float | None:
    """Its Date counts whole seconds, and was cut: half a second is added."""
    try:
        at = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return None
    return at.timestamp() + 0.5 - time.time()


@dataclass(frozen=True, slots=True)
class Direct:
    """How the direct way was tried, and how it went."""

    way: Way
    how: str


def direct_egress(site: Site) -> Told:
    """A connection that ignores every proxy."""
    try:
        trust = _trust(site.loaded)
    except OSError:
        trust = ssl.create_default_context(cafile=certifi.where())
    return told("direct_egress", [rule(tried((HOST, HTTPS), trust), needed=needed(site))])


def needed(site: Site) -> bool:
    """Whether the gateway runs here and itself has to go that way."""
    behind = site.config is not None and site.config.upstream.proxy is not None
    return not site.remote and not behind


def rule(found: Direct, *, needed: bool) -> Part:
    """What the direct way means on this machine."""
    if found.way == "closed":
        return Part("pass", f"{HOST} cannot be reached past the gateway ({found.how})")
    if found.way == "intercepted":
        text = f"{HOST} answers past the gateway, under a certificate that is not OpenAI's"
        return Part("unknown", text, "find out who answers there")
    if needed:
        text = f"{HOST} can be reached directly, as the gateway itself has to from this machine"
        fix = "run doctor on a staging host with --listen; if one runs here too, close it by user"
        return Part("unknown", text, fix)
    return Part("fail", f"{HOST} can be reached past the gateway", _CLOSE)


def tried(address: Address, trust: ssl.SSLContext, wait_s: float = WAIT_S) -> Direct:
    """TCP, then TLS under OpenAI's name: a firewall may let the first pass and cut the second."""
    try:
        sock = socket.create_connection(address, wait_s)
    except socket.gaierror:
        return Direct("closed", "its name does not resolve")
    except OSError as error:
        return Direct("closed", f"no connection: {error.strerror or 'no answer in time'}")
    try:
        with sock, trust.wrap_socket(sock, server_hostname=HOST):
            return Direct("open", "TLS")
    except ssl.SSLCertVerificationError:
        return Direct("intercepted", "TLS")
    except OSError:
        return Direct("closed", "TLS is cut off")
