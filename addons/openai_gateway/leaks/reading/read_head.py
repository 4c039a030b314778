"""Reads a request's head for secrets: path, query, header names and values, cookies, trailers.

The credential's own place is left alone. All of it is read at once first, as it is clean nearly
always; each part by itself, with its place, only where it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from openai_gateway.api.headers import AUTHORIZATION, SUBPROTOCOL
from openai_gateway.api.keys import is_key_token, tokens
from openai_gateway.core.call import Header, Request
from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.edits import Cut, redacted
from openai_gateway.leaks.reading.form_layer import quoted, unplussed, unquoted
from openai_gateway.leaks.reading.ledger import Done, Finding, Judge, Ledger
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.reading.read import read_fields, shifted
from openai_gateway.leaks.reading.walk import Walk

# What ends or frames the message, or names it: with a mark in it, it would be another message.
FRAMING: Final = frozenset(
    {
        *(b"host", b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"),
        *(b"connection", b"upgrade", b"te", b"trailer", b"expect", b"accept-encoding"),
        *(b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", SUBPROTOCOL),
    }
)
COOKIE: Final = b"cookie"
LENGTH: Final = b"content-length"
MOST_KNOWN: Final = 4096
LONGEST_KNOWN: Final = 256
# So that no line looks like the next part of the one before.
APART: Final = b"\n;\n"


@dataclass(frozen=True, slots=True)
class HeadReading:
    """What was found in a head, and the head without what was redacted.

    `target`, `headers` and `trailers` are those of the request where nothing was.
    """

    findings: list[tuple[Finding, Done]]
    over_budget: bool
    target: bytes = field(repr=False)
    headers: list[Header] = field(repr=False)
    trailers: tuple[Header, ...] = field(repr=False)


class CleanLines:
    """Lines of heads in which nothing was found: most of a client's are the same in each call.

    Bounded; the oldest go first. Threads may share it.
    """

    __slots__ = ("_known", "_lock")

    def __init__(self) -> None:
        self._known: dict[bytes, None] = {}
        self._lock = Lock()

    def unknown(self, lines: Iterable[bytes]) -> list[bytes]:
        """Those of them that have to be read."""
        known = self._known
        return [line for line in lines if line not in known]

    def add(self, lines: Iterable[bytes]) -> None:
        with self._lock:
            self._known.update((line, None) for line in lines if len(line) <= LONGEST_KNOWN)
            while len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]


def read_head(
    request: Request,
    detector: Detector,
    judge: Judge,
    budget: Budget,
    known: CleanLines | None = None,
) -> HeadReading:
    """The head with its findings and redactions. Never raises for what a client sends.

    `known`: of this very detector and judge.
    """
    if _is_clean(request, detector, replace(budget), known or CleanLines()):
        return _unchanged(request)
    again = replace(budget)
    url, headers = Ledger(judge, "url"), Ledger(judge, "header")
    target = _read_target(request, Walk(detector, url, budget))
    first = _Headers(Walk(detector, headers, budget))
    result = replace(request, target=target, headers=first.read(request.headers),
                     trailers=tuple(first.read(request.trailers, "trailer")))  # fmt: skip
    if result != request and not (url.blocked or headers.blocked):
        once = Walk(detector, url, again, writable=False, beside=False)
        _read_target(result, once)
        second = _Headers(Walk(detector, headers, again, writable=False, beside=False))
        second.read(result.headers)
        second.read(result.trailers, "trailer")
    found = url.entries() + headers.entries()
    over = budget.over or again.over
    return HeadReading(found, over, target, result.headers, result.trailers)


def _unchanged(request: Request) -> HeadReading:
    return HeadReading([], False, request.target, request.headers, request.trailers)


def _is_clean(request: Request, detector: Detector, budget: Budget, known: CleanLines) -> bool:
    """Whether all of it holds nothing; what is not known to is put into one text and decoded."""
    lines = known.unknown(_lines(request))
    if not lines:
        return True
    ledger = Ledger(lambda _: "report", "header")
    Walk(detector, ledger, budget).unit(APART.join(lines), "the head")
    clean = not ledger.entries() and not budget.over
    if clean:
        known.add(lines)
    return clean


def _lines(request: Request) -> list[bytes]:
    path, _, query = request.target.partition(b"?")
    lines = [request.method.encode("utf-8", "surrogateescape"),
             request.host.encode("utf-8", "surrogateescape"),
             path, query.replace(b"&", b"\n"), unplussed(query).text]  # fmt: skip
    for name, value in (*request.headers, *request.trailers):
        lower = name.lower()
        if lower != LENGTH or not value.isdigit():
            lines.append(b"%s: %s" % (lower, judged(lower, value)))
        if name != lower:
            lines.append(name)
    return lines


def judged(lower: bytes, value: bytes) -> bytes:
    """A header's value without what stands there as the call's credential."""
    if lower == AUTHORIZATION:
        return b""
    if lower == SUBPROTOCOL:
        return b",".join(token for token in tokens(value) if not is_key_token(token))
    return value


def _read_target(request: Request, walk: Walk) -> bytes:
    for label, text in (("the method", request.method), ("the host", request.host)):
        found = walk.unit(text.encode("utf-8", "surrogateescape"), label)
        _blocked(walk, found)
    path, mark, query = request.target.partition(b"?")
    plain = unquoted(path)
    path = redacted(path, plain.back(walk.unit(plain.text, "the url path"), quoted))
    fields = read_fields(walk, query, "the url query, {}", "a name in the url query")
    return path + mark + redacted(query, fields)


def _blocked(walk: Walk, cuts: Iterable[Cut]) -> None:
    for cut in cuts:
        walk.ledger.block(cut.found)


class _Headers:
    """Reads headers, and gives them without what was redacted."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def read(self, headers: Iterable[Header], kind: str = "header") -> list[Header]:
        return [(self._name(name, kind), self._value(name, value, kind)) for name, value in headers]

    def _name(self, name: bytes, kind: str) -> bytes:
        """A name has no sign that a mark could be written with."""
        _blocked(self._walk, self._walk.unit(name, f"a {kind} name"))
        return name

    def _value(self, name: bytes, value: bytes, kind: str) -> bytes:
        lower, walk = name.lower(), self._walk
        if lower == COOKIE:
            return redacted(value, self._cookies(value))
        shown = walk.names.shown(lower.decode("utf-8", "replace"))
        cuts = walk.unit(judged(lower, value), f"{kind} {shown}", before=lower + b": ")
        if lower in FRAMING or lower == AUTHORIZATION:
            _blocked(walk, cuts)
            return value
        return redacted(value, cuts)

    def _cookies(self, value: bytes) -> list[Cut]:
        cuts: list[Cut] = []
        at = 0
        for cookie in value.split(b";"):
            name, equals, text = cookie.partition(b"=")
            cuts += shifted(self._walk.unit(name, "a cookie's name"), at)
            shown = self._walk.names.shown(name.strip().decode("utf-8", "replace"))
            label, before = f"cookie {shown}", name.strip() + equals
            inner = self._walk.unit(text, label, before=before)
            cuts += shifted(inner, at + len(name) + len(equals))
            at += len(cookie) + 1
        return cuts
