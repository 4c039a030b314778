"""Whether some bytes hold one of the production keys, by value or by fingerprint, in any reading.

By value, every single encoding is found in texts of any size. By fingerprint nothing is known but a
digest, so whatever could be a key is hashed; a text that offers too much to hash is `flooded`.
"""

import base64
import hashlib
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from openai_gateway.content.runs import SHORTEST_TEXT
from openai_gateway.content.views import Budget, budget_for, small_budget, views
from openai_gateway.core.secret import Secret

# Up to here a text is searched with everything taken out that no key holds.
SMALL: Final = 64 * 1024
# `sk-proj-` is how most keys begin, so that these are the same for all of them, in any form.
BEGINNING: Final = 8
SHARED: Final = 10
END: Final = 12
# Longer needles make `find` prepare tables, which costs more than it saves on small texts.
CUT: Final = 48
# What is shorter is in every text.
LEAST: Final = 6

LETTERS: Final = (string.ascii_letters + string.digits + "-_").encode()
OTHERS: Final = bytes(c for c in range(256) if c not in LETTERS)
IN_KEY: Final = bytes(97 if c in LETTERS else 32 for c in range(256))

HEX_DIGITS: Final = frozenset(bytes((c,)) for c in string.hexdigits.encode())

STARTS: Final = (b"sk-", b"sess-", b"ek_")
LONG_STARTS: Final = (b"sk-proj-", b"sk-svcacct-", b"sk-admin-")
SHORTEST: Final = 20
LONGEST: Final = 256
RUN: Final = b"a" * SHORTEST
MOST_HASHES: Final = 200_000
MOST_SPLIT_HASHES: Final = 20_000
# On the event loop: below half a millisecond.
QUICK_HASHES: Final = 600


class Identity(Protocol):
    """A production key: its mapping's name, its sha256, and its value where that is known."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> bytes: ...

    @property
    def secret(self) -> Secret | None: ...


@dataclass(slots=True)
class Hunt:
    """What is left to spend on one call, and what was noticed on the way.

    `partial`: the beginning or end of a key was seen; `flooded`: more to hash than is affordable.
    """

    budget: Budget
    hashes_left: int = MOST_HASHES
    split_hashes_left: int = MOST_SPLIT_HASHES
    partial: bool = False
    flooded: bool = False


def hunt_for(size: int) -> Hunt:
    return Hunt(budget_for(size))


def quick_hunt() -> Hunt:
    return Hunt(small_budget(), QUICK_HASHES, QUICK_HASHES)


class Search:
    """Looks for the keys of these identities."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        values = [(one.secret.reveal().encode(), one.name) for one in identities if one.secret]
        known = [(value, name) for value, name in values if len(squeeze(value)) >= LEAST]
        self.plain = tuple(known)
        # An escape before a key that begins with a hex digit would take its beginning with it;
        # what is shorter than any text in a binary would go with the noise.
        self.swallowed = tuple(
            pair for pair in known if pair[0][:1] in HEX_DIGITS or len(pair[0]) < SHORTEST_TEXT
        )
        self.folded = tuple((value.lower()[:CUT], value.lower(), name) for value, name in known)
        self.needles = tuple((form, name) for value, name in known for form in forms(value))
        self.squeezed = tuple((squeeze(form), name) for form, name in self.needles)
        self.cuts = unique(form[:CUT] for form, _ in self.needles)
        self.parts = unique(ends(value for value, _ in known))
        heads = (form[:SHARED] for form, _ in self.squeezed if not form.startswith(self.parts))
        self.alarms = unique([*self.parts, *heads])
        self.digests = {one.digest: one.name for one in identities if one.secret is None}

    def first(self, data: bytes, hunt: Hunt) -> str | None:
        """The name of the first mapping whose production key stands in the data, if any."""
        for value, name in self.swallowed:
            if value in data:
                return name
        for view in views(data, hunt.budget):
            found = self.by_value(view, hunt) if self.plain else None
            found = found or (self.by_fingerprint(view, hunt) if self.digests else None)
            if found is not None:
                return found
        return None

    def in_names(self, names: bytes) -> str | None:
        """The same for names whose case does not count."""
        lower = names.lower()
        return next((name for cut, value, name in self.folded
                     if cut in lower and value in lower), None)  # fmt: skip

    def by_value(self, view: bytes, hunt: Hunt) -> str | None:
        """A key of known value, in the clear or in one encoding, however it is broken up."""
        if len(view) <= SMALL:
            return self.in_squeezed(view, hunt)
        if any(cut in view for cut in self.cuts):
            name = next((name for form, name in self.needles if form in view), None)
            if name is not None:
                return name
        if any(part in view for part in self.parts):
            return self.in_squeezed(view, hunt)
        return None

    def in_squeezed(self, view: bytes, hunt: Hunt) -> str | None:
        """With everything taken out that no key holds; slowly only if part of a key shows."""
        quickly = view.translate(None, OTHERS)
        for alarm in self.alarms:
            if alarm in quickly:
                hunt.partial = True
                carefully = squeeze(view)
                return next((name for form, name in self.squeezed
                             if form in quickly or form in carefully), None)  # fmt: skip
        return None

    def by_fingerprint(self, view: bytes, hunt: Hunt) -> str | None:
        """A key of which only the digest is known: every run of a key's letters is hashed."""
        if b"\\" in view:
            view = view.replace(b"\\-", b"-").replace(b"\\_", b"_")
        for run in runs(view):
            name = self.digests.get(hashlib.sha256(run).digest()) or self.in_run(run, hunt)
            if name is not None:
                return name
        return self.broken_up(view, hunt)

    def in_run(self, run: bytes, hunt: Hunt) -> str | None:
        """A key with something glued to it: what begins like a key, at every length."""
        for text in beginnings(run, STARTS):
            hunt.hashes_left -= max(0, len(text) - SHORTEST + 1)
            if hunt.hashes_left < 0:
                hunt.flooded = True
                return None
            name = self.at_any_length(text)
            if name is not None:
                return name
        return None

    def broken_up(self, view: bytes, hunt: Hunt) -> str | None:
        """A key with blanks, quotes or line ends inside."""
        if not any(start in view for start in LONG_STARTS):
            return None
        hunt.partial = True
        for text in beginnings(squeeze(view), LONG_STARTS):
            hunt.split_hashes_left -= LONGEST
            if hunt.split_hashes_left < 0:
                hunt.budget.over = True
                return None
            name = self.at_any_length(text)
            if name is not None:
                return name
        return None

    def at_any_length(self, text: bytes) -> str | None:
        for length in range(SHORTEST, len(text) + 1):
            name = self.digests.get(hashlib.sha256(text[:length]).digest())
            if name is not None:
                return name
        return None


def squeeze(text: bytes) -> bytes:
    """Only the letters that keys are made of; JSON's escaped line ends go as a whole."""
    if b"\\" in text:
        text = text.replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\t", b"")
    return text.translate(None, OTHERS)


def forms(value: bytes) -> Iterator[bytes]:
    """A value in the clear and in each encoding that can be known beforehand."""
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            bits = (shift + len(value)) * 8
            yield encode(bytes(shift) + value)[(0, 2, 3)[shift] : bits // 6]


def ends(values: Iterable[bytes]) -> Iterator[bytes]:
    """How each key begins and how it ends: one of the two stays whole where a key is cut in two."""
    for value in map(squeeze, values):
        half = len(value) // 2
        yield value[: min(BEGINNING, half)]
        yield value[-min(END, half) :]


def unique(items: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(items))


def runs(view: bytes) -> Iterator[bytes]:
    """Runs of a key's letters that are long enough for one."""
    classes = view.translate(IN_KEY)
    at = classes.find(RUN)
    while at >= 0:
        end = classes.find(b" ", at)
        end = len(view) if end < 0 else end
        yield view[at:end]
        at = classes.find(RUN, end)


def beginnings(text: bytes, starts: tuple[bytes, ...]) -> Iterator[bytes]:
    """What follows each start, start included, at most as long as a key is."""
    for start in starts:
        at = text.find(start)
        while at >= 0:
            yield text[at : at + LONGEST]
            at = text.find(start, at + 1)
