"""Where things are: addresses to listen on, hosts to tunnel to, proxies, databases, stores."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from openai_gateway.config.kinds import Ref, parsed, setting, wrong
from openai_gateway.config.problems import shown
from openai_gateway.config.secrets import Reference, Unresolved
from openai_gateway.config.store_url import MEMORY, StoreUrlFault, read
from openai_gateway.core.secret import Secret

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Net = ipaddress.IPv4Network | ipaddress.IPv6Network

_LABELS: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMERIC_END: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")
_BY_REFERENCE: Final = "holds a password; give it by reference: env:NAME with the whole URL in it"
_OPENAI: Final = "openai.com"
_DATABASES: Final = ("sqlite", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class Listen:
    """An address and port of our own; port 0 takes any that is free."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Destination:
    """A host that clients reach as a blind tunnel: NAME, *.NAME, an address or `*`, and a port."""

    host: str
    port: int
    address: Address | None = None

    def covers(self, host: str, port: int) -> bool:
        """Whether a tunnel to this name may be opened; never to OpenAI's own."""
        name = host.lower().rstrip(".")
        if port != self.port or _is_openai(name):
            return False
        if self.host == "*":
            return True
        return name.endswith(self.host[1:]) if self.host[:2] == "*." else name == self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A corporate egress proxy; `auth` holds user:password."""

    scheme: str
    host: str
    port: int
    source: str
    auth: Reference | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.source


def _network(value: str) -> Net:
    try:
        return ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError(_network_fix(value)) from error


def _network_fix(value: str) -> str:
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return f"{shown(value)} is no network; write it as 10.1.0.0/16"
    return f"{shown(value)} has bits set beyond its mask; did you mean {meant}?"


def _split(value: str, default: int | None) -> tuple[str, int]:
    """HOST, HOST:PORT or [ADDRESS]:PORT; raises ValueError."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([0-9]{1,5}))?", value)
    if not found and value.count(":") > 1:
        found = re.fullmatch(r"([0-9A-Fa-f:.]+)()", value) if default is not None else None
    if not found or not found[1] or (not found[2] and default is None):
        raise ValueError(f"{shown(value)} is no host and port; write it as HOST:PORT")
    port = int(found[2]) if found[2] else int(default or 0)
    if port > 65535:
        raise ValueError(f"has port {port}; ports end at 65535")
    return found[1].strip("[]").lower().rstrip("."), port


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _listen(value: str) -> Listen:
    host, port = _split(value, None)
    address = _address(host)
    if address is None and host != "localhost":
        raise ValueError(f"{shown(value)} is no address to listen on; write it as 127.0.0.1:9464")
    return Listen(str(address) if address else host, port)


def listens_on_loopback(value: object) -> bool:
    """False only where it certainly is open to others; what is no address is told elsewhere."""
    try:
        return not isinstance(value, str) or _listen(value).loopback
    except ValueError:
        return True


def _destination(value: str) -> Destination:
    host, port = _split(value, 443)
    address = _address(host)
    if port == 0:
        raise ValueError("has port 0; name the port that clients connect to")
    if address:
        return Destination(str(address), port, address)
    name = host.removeprefix("*.")
    if host != "*" and (not _LABELS.fullmatch(name) or _NUMERIC_END.search(name)):
        raise ValueError(f"{shown(value)} is no host; write NAME, *.NAME or an address, and :PORT")
    if _is_openai(name):
        raise ValueError("is OpenAI's own: its calls go through the gateway; take the entry out")
    return Destination(host, port)


def _is_openai(name: str) -> bool:
    return name == _OPENAI or name.endswith("." + _OPENAI)


def _proxy(value: object, info: ValidationInfo) -> Proxy:
    """A URL, a URL whose user and password are a reference, or a reference to the whole URL."""
    if not isinstance(value, str):
        raise wrong("must be a text (http://HOST:PORT, or a reference to such a URL)")
    try:
        if "://" in value.split(":", 1)[0] + "://" and re.match(r"(env|file|exec):", value):
            found = setting(info).resolver.reference(value)
            return _proxy_url(found.secret.reveal(), value, _literal_auth)
        return _proxy_url(str(value), None, lambda text: _referred_auth(text, info))
    except Unresolved as error:
        raise wrong(str(error)) from error
    except ValueError as error:
        raise wrong(str(error)) from error


def _proxy_url(url: str, source: str | None, auth: Any) -> Proxy:
    scheme, found, rest = url.partition("://")
    userinfo, at, place = rest.rpartition("@")
    if not found or scheme not in ("http", "https"):
        raise ValueError("is no proxy URL; write it as http://HOST:PORT")
    host, port = _split(place.rstrip("/"), None)
    if port == 0 or not (_address(host) or _LABELS.fullmatch(host)):
        raise ValueError("is no proxy URL; write it as http://HOST:PORT")
    return Proxy(scheme, host, port, source or url, auth(userinfo) if at else None)


def _literal_auth(userinfo: str) -> Reference:
    """From a URL that was itself a reference: percent-encoding undone."""
    return Reference("the proxy's URL", Secret(unquote(userinfo)))


def _referred_auth(userinfo: str, info: ValidationInfo) -> Reference:
    found = re.fullmatch(r"(?:([^:@]+):)?((?:env|file|exec):.+)", userinfo)
    if not found:
        raise ValueError(
            "holds a user or password; give them by reference: http://env:NAME@HOST:PORT with "
            "user:password in NAME, or env:NAME with the whole URL in it"
        )
    secret = setting(info).resolver.reference(found[2]).secret
    whole = f"{unquote(found[1])}:{secret.reveal()}" if found[1] else secret.reveal()
    return Reference(userinfo, Secret(whole))


def _database(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme not in _DATABASES:
        raise ValueError(f"is none of {', '.join(_DATABASES)}; write it as sqlite:///var/calls.db")
    return bool(parts.password)


def _store(url: str) -> bool:
    try:
        return url != MEMORY and bool(read(url).passwords)
    except StoreUrlFault as fault:
        raise ValueError(fault.what) from fault


def _url(holds_password: Callable[[str], bool], example: str) -> PlainValidator:
    """A URL without a password, or a reference to one that may have it. `holds_password` raises
    ValueError where it is none."""

    def validate(value: object, info: ValidationInfo) -> Reference:
        if not isinstance(value, str):
            raise wrong(f"must be a text, such as {example}")
        try:
            if not re.match(r"(env|file|exec):", value):
                if holds_password(value):
                    raise ValueError(_BY_REFERENCE)
                return Reference(str(value), Secret(str(value)))
            found = setting(info).resolver.reference(value)
            holds_password(found.secret.reveal())
        except (Unresolved, ValueError) as error:
            raise wrong(str(error)) from error
        return found

    return PlainValidator(validate)


def literal(url: str) -> Reference:
    """A URL that holds no secret, in the shape of those that do."""
    return Reference(url, Secret(url))


def _text(kind: str) -> Any:
    return WithJsonSchema({"type": "string", "title": kind})


def _webhook(found: Reference) -> Reference:
    """The URL itself is never shown: whoever has it can post there."""
    url = found.secret.reveal()
    try:
        parts = urlsplit(url)
        whole = parts.hostname is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    if not whole or parts.scheme not in ("http", "https"):
        raise wrong("refers to no URL; it must be http:// or https:// and a host")
    if parts.username is not None:
        raise wrong("holds a user or password, which are not sent; put what it needs in the path")
    return found


def in_the_clear(webhook: Reference) -> bool:
    """Whether others on the network could read where it posts to, and post there too."""
    parts = urlsplit(webhook.secret.reveal())
    address = _address(parts.hostname or "")
    local = address.is_loopback if address else parts.hostname == "localhost"
    return parts.scheme == "http" and not local


Webhook = Annotated[Ref, AfterValidator(_webhook)]
Network = Annotated[Net, *parsed(_network, "network")]
ListenOn = Annotated[Listen, *parsed(_listen, "address:port")]
Tunnel = Annotated[Destination, *parsed(_destination, "host, *.host or *, with :port")]
ProxyUrl = Annotated[Proxy, PlainValidator(_proxy), PlainSerializer(str), _text("URL or reference")]
DatabaseUrl = Annotated[
    Reference,
    _url(_database, "sqlite:///var/calls.db"),
    PlainSerializer(str),
    _text("URL or reference"),
]
StoreUrl = Annotated[
    Reference,
    _url(_store, "redis://HOST:6379/0"),
    PlainSerializer(str),
    _text("memory, URL or reference"),
]
