"""What was found in one reading, and what is to be done about each: the same finding only once."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from openai_gateway.leaks.rules.rule import Hit, Rule

type Done = Literal["block", "redact", "report", "allow"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret and where it stands; never the secret.

    `place`: as a client finds it; `location`: body, header, url or websocket; `sha256`: of the
    secret's own decoded bytes; `lowered`: its rule says that it is at most to be reported.
    """

    rule: Rule
    place: str
    location: str
    sha256: str
    lowered: bool = False


class Judge(Protocol):
    """Says what is to be done about a finding."""

    def __call__(self, finding: Finding) -> Done: ...


class Ledger:
    """The findings of one reading in their order, each with what is done about it."""

    __slots__ = ("_done", "_findings", "_judge", "_known", "blocked", "location")

    def __init__(self, judge: Judge, location: str) -> None:
        self.location = location
        self.blocked = False
        self._judge = judge
        self._findings: list[Finding] = []
        self._done: list[Done] = []
        self._known: dict[tuple[str, str, str], int] = {}

    def note(self, hit: Hit, secret: bytes, place: str, *, writable: bool) -> tuple[int, Done]:
        """Its number, and what is done here. What cannot be replaced here is blocked instead."""
        digest = hashlib.sha256(secret).hexdigest()
        key = (hit.rule.id, place, digest)
        number = self._known.get(key)
        if number is None:
            finding = Finding(hit.rule, place, self.location, digest, hit.lowered)
            number = self._known[key] = len(self._findings)
            self._findings.append(finding)
            self._done.append(self._judge(finding))
            self.blocked |= self._done[number] == "block"
        if not writable:
            self.block((number,))
        return number, self._done[number]

    def block(self, numbers: Iterable[int]) -> None:
        """What was to be redacted cannot be: it is blocked."""
        for number in numbers:
            if self._done[number] == "redact":
                self._done[number] = "block"
                self.blocked = True

    def block_all(self) -> None:
        """Nothing can be redacted here."""
        self.block(range(len(self._done)))

    def entries(self) -> list[tuple[Finding, Done]]:
        return list(zip(self._findings, self._done, strict=True))
