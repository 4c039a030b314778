"""What a URL of `limits.store` says: one Redis, one behind Sentinels, or a cluster.

    redis://[USER:PASSWORD@]HOST[:PORT][/DB]
    redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]/SERVICE[/DB]
    redis+cluster://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]

With rediss in place of redis it speaks TLS. Own reading, as redis-py's knows neither Sentinels nor
clusters, and takes options that would ask a question twice. No message shows the URL: it may hold
a password.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from openai_gateway.core.secret import Secret

type Topology = Literal["single", "sentinel", "cluster"]

MEMORY: Final = "memory"
PORT: Final = 6379
SENTINEL_PORT: Final = 26379
SCHEMES: Final = (
    "redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster",
)  # fmt: skip
TLS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_HOST: Final = re.compile(r"[A-Za-z0-9_.:%-]{1,255}")
SENTINEL_LOGIN: Final = ("sentinel_username", "sentinel_password")


class StoreUrlFault(ValueError):
    """`limits.store` names no store; `what` says it without the field. Neither holds a password."""

    def __init__(self, what: str) -> None:
        super().__init__(f"limits.store: {what}")
        self.what = what


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks."""

    user: str | None
    password: Secret | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where the store is."""

    topology: Topology
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    service: str
    """The name under which the Sentinels know it."""
    db: int
    login: Login
    sentinel_login: Login
    tls_files: dict[str, str]

    @property
    def passwords(self) -> tuple[Secret, ...]:
        """Whatever of it must never be shown."""
        told = (self.login.password, self.sentinel_login.password)
        return tuple(password for password in told if password is not None)


def parse(url: str) -> Address:
    """The address that a URL is.

    Raises: StoreUrlFault.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise StoreUrlFault("is no URL; write redis://HOST:6379/0") from None
    if parts.scheme not in SCHEMES:
        raise StoreUrlFault(f"is none of memory, {', '.join(SCHEMES)}; write redis://HOST:6379/0")
    if "#" in url:
        raise StoreUrlFault("has a #; in a user or password write it as %23")
    protocol, _, topology = parts.scheme.partition("+")
    kind: Topology = "sentinel" if topology == "sentinel" else "single"
    kind = "cluster" if topology == "cluster" else kind
    login, _, hosts = parts.netloc.rpartition("@")
    service, db = _path(parts.path, kind)
    tls = protocol == "rediss"
    options = _options(parts.query, kind, tls)
    return Address(
        topology=kind,
        tls=tls,
        hosts=_hosts(hosts, kind),
        service=service,
        db=db,
        login=_login(login),
        sentinel_login=_made(*(options.get(name, "") for name in SENTINEL_LOGIN)),
        tls_files={name: options[name] for name in TLS_FILES if name in options},
    )


def read(url: str) -> Address:
    """The same, with the files of TLS that it names looked for.

    Raises: StoreUrlFault.
    """
    address = parse(url)
    for option, path in address.tls_files.items():
        if not Path(path).is_file():
            raise StoreUrlFault(f"{option} is no file: {path}")
    return address


def _login(text: str) -> Login:
    user, _, password = text.partition(":")
    return _made(unquote(user), unquote(password))


def _made(user: str, password: str) -> Login:
    return Login(user or None, Secret(password) if password else None)


def _hosts(text: str, kind: Topology) -> tuple[tuple[str, int], ...]:
    port = SENTINEL_PORT if kind == "sentinel" else PORT
    found = tuple(_host(host, port) for host in text.split(","))
    if kind == "single" and len(found) > 1:
        raise StoreUrlFault("has several hosts; write redis+sentinel:// or redis+cluster://")
    return found


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", port if parts.port is None else parts.port
    except ValueError:
        raise StoreUrlFault("has a host or port that is none; write HOST:6379") from None
    if not _HOST.fullmatch(host):
        raise StoreUrlFault("names no host; write redis://HOST:6379/0")
    if port == 0:
        raise StoreUrlFault("has port 0, where nobody listens; write HOST:6379")
    return host, port


def _path(path: str, kind: Topology) -> tuple[str, int]:
    names = [unquote(name) for name in path.removeprefix("/").split("/")]
    if names[-1] == "":
        names.pop()
    service = ""
    if kind == "sentinel":
        if not names or not names[0]:
            raise StoreUrlFault("names no service; write redis+sentinel://HOST:26379/SERVICE/0")
        service = names.pop(0)
    if kind == "cluster" and names not in ([], ["0"]):
        raise StoreUrlFault("names a database; a cluster has but one, leave it out")
    if len(names) > 1 or (names and not (names[0].isascii() and names[0].isdigit())):
        raise StoreUrlFault("its path is no number of a database; write redis://HOST:6379/0")
    return service, int(names[0]) if names else 0


def _options(query: str, kind: Topology, tls: bool) -> dict[str, str]:
    known = (TLS_FILES if tls else ()) + (SENTINEL_LOGIN if kind == "sentinel" else ())
    found = dict(parse_qsl(query, keep_blank_values=True))
    for name in found:
        if name not in known:
            choices = f"known here: {', '.join(known)}" if known else "it takes none here"
            raise StoreUrlFault(f"has an option that is not known; {choices}")
    return found
