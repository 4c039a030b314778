"""The fake's certificate authority and its leaves: the right one, and those to refuse."""

import ssl
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakKeyDictionary

import trustme

HOSTS = tuple(
    f"{region}api.openai.com" for region in ("", "us.", "eu.", "ae.", "au.", "in.", "jp.")
)
type Leaf = Literal["right", "wrong_name", "untrusted"]
type Alpn = tuple[str, ...]


@dataclass(slots=True)
class Tls:
    """Which leaf is shown and which protocols are offered to connections from now on."""

    leaf: Leaf = "right"
    alpn: Alpn = ("h2", "http/1.1")

    def clear(self) -> None:
        self.leaf, self.alpn = "right", ("h2", "http/1.1")


@dataclass(slots=True)
class Certificates:
    """Makes the server contexts; one a leaf and offer, kept."""

    authority: trustme.CA = field(default_factory=trustme.CA, repr=False)
    stranger: trustme.CA = field(default_factory=trustme.CA, repr=False)
    asked: "WeakKeyDictionary[ssl.SSLObject, str | None]" = field(default_factory=WeakKeyDictionary)
    _contexts: dict[tuple[Leaf, Alpn], ssl.SSLContext] = field(default_factory=dict)

    @property
    def pem(self) -> bytes:
        return self.authority.cert_pem.bytes()

    def context(self, tls: Tls) -> ssl.SSLContext:
        key = (tls.leaf, tuple(tls.alpn))
        if key not in self._contexts:
            self._contexts[key] = self._make(*key)
        return self._contexts[key]

    def _make(self, leaf: Leaf, alpn: Alpn) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._leaf(leaf).configure_cert(context)
        context.set_alpn_protocols(list(alpn))
        context.sni_callback = self._ask
        return context

    def _leaf(self, leaf: Leaf) -> trustme.LeafCert:
        if leaf == "wrong_name":
            return self.authority.issue_cert("wrong.example")
        return (self.stranger if leaf == "untrusted" else self.authority).issue_cert(*HOSTS)

    def _ask(self, tls: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if isinstance(tls, ssl.SSLObject):
            self.asked[tls] = name
