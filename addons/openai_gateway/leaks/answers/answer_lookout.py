"""What is found in an answer's texts: each finding is noted once, and what must not reach the
client is named by its place. An answer repeats its texts (`.done`, `response.completed`)."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, Literal

import orjson

from openai_gateway.leaks.engine.limit import NoLimit
from openai_gateway.leaks.engine.mark import mark
from openai_gateway.leaks.engine.matcher import MOST_HITS
from openai_gateway.leaks.reading.char_map import CharMap
from openai_gateway.leaks.reading.edits import Cut, Edit, redactions
from openai_gateway.leaks.reading.hits import whole_characters
from openai_gateway.leaks.reading.ledger import Done, Finding, Judge
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.rules.rule import Hit

type Mode = Literal["report", "redact"]

LOCATION: Final = "answer"
MOST_FINDINGS: Final = 1000
# What a text too long to be judged leaves behind.
DROPPED: Final = b"[REDACTED:too-long]"
# Longer texts are looked through for pictures and sound first: these cost most and tell nothing.
LONG: Final = 16 * 1024
# One escape of JSON, at whatever depth of JSON in JSON.
_ESCAPE: Final = re.compile(rb'\\++(?:([nrtbf"/])|u([0-9a-fA-F]{4}))')
_PAIR: Final = re.compile(rb"\\.", re.DOTALL)
_SIGNS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
# How PNG, JPEG, WebP and WAV, GIF, MP3, Ogg, FLAC and MP4 begin in base64 (their magic numbers).
_MEDIA: Final = re.compile(
    rb'"(?:data:[a-z0-9/+.-]{1,60};base64,)?'
    rb"(?=iVBORw0KGgo|/9j/|UklGR|R0lGOD|SUQz|T2dnUw|ZkxhQ|AAAA[A-Z]Gp0eX)"
)


class Lookout:
    """Looks at texts of one answer. `over_budget`: something was dropped or left out unread."""

    __slots__ = ("_judge", "_known", "detector", "findings", "over_budget", "redacts")

    def __init__(self, detector: Detector, judge: Judge, mode: Mode) -> None:
        self.detector = detector
        self._judge = judge
        self._known: set[tuple[str, str]] = set()
        self.redacts = mode == "redact"
        self.findings: list[tuple[Finding, str]] = []
        self.over_budget = False

    def hits(self, text: bytes, before: bytes = b"", *, escaped: bool) -> list[Hit]:
        """What is found in a text, or in the inside of JSON; the offsets are the text's own."""
        if escaped and len(text) > LONG:
            text = without_media(text)
        if not escaped or b"\\" not in text:
            return self._found(text, before)
        plain_text = CharMap(text, _escapes(text))
        found = self._found(plain_text.text, CharMap(before, _escapes(before)).text)
        begin, end = plain_text.begin, plain_text.end
        return [replace(hit, start=begin(hit.start), end=end(hit.end)) for hit in found]

    def _found(self, text: bytes, before: bytes) -> list[Hit]:
        limit = NoLimit()
        found = self.detector.find(text, before=before, limit=limit)
        self.over_budget |= limit.over
        return found

    def edits(self, text: bytes, sent: int, place: str, *, escaped: bool) -> list[Edit]:
        """What is to be replaced behind `sent`: what stands before it has left already, and of a
        secret that began there the rest is kept back. `escaped`: it is the inside of JSON."""
        cuts: list[Cut] = []
        hits = self.hits(text, escaped=escaped)
        for hit in hits:
            if hit.end > sent and self.must_go(hit, text, place, escaped=escaped):
                start, end = whole_characters(text, hit.start, hit.end)
                cuts.append(cut(max(start, sent), end, hit.rule.id))
        return redactions([*cuts, *unread(hits, sent, len(text))] if cuts else cuts)

    def must_go(self, hit: Hit, text: bytes, place: str, *, escaped: bool) -> bool:
        """Notes a hit; tells whether it has to go."""
        secret = text[hit.start : hit.end]
        digest = hashlib.sha256(plain(secret) if escaped else secret).hexdigest()
        finding = Finding(hit.rule, place, LOCATION, digest, hit.lowered)
        action = self.judged(finding)
        if action != "allow":
            self.note(finding, action)
        return action == "redact"

    def judged(self, finding: Finding) -> Done:
        """What is done about a finding here: an answer is not refused, it is redacted."""
        action = self._judge(finding)
        if action == "allow":
            return "allow"
        goes = self.redacts and action != "report" and not finding.lowered
        return "redact" if goes else "report"

    def note(self, finding: Finding, action: str) -> None:
        """A finding to be told, unless it is already."""
        key = (finding.rule.id, finding.sha256)
        if key in self._known:
            return
        if len(self.findings) < MOST_FINDINGS:
            self._known.add(key)
            self.findings.append((finding, action))
        else:
            self.over_budget = True


def cut(start: int, end: int, rule: str) -> Cut:
    return Cut(start, end, mark(rule), mark(rule))


def unread(hits: Sequence[Hit], sent: int, size: int) -> list[Cut]:
    """What stands behind a rule's last hit where it has too many: nobody looked there, it goes."""
    if len(hits) < MOST_HITS:
        return []
    counted = Counter(hit.rule.id for hit in hits)
    last = {hit.rule.id: hit.end for hit in hits}
    ends = [max(sent, last[name]) for name, times in counted.items() if times >= MOST_HITS]
    return [Cut(end, size, DROPPED, DROPPED) for end in ends if end < size]


def _escapes(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where the escapes of JSON stand, and what they mean."""
    for found in _ESCAPE.finditer(text):
        sign = found[1] or chr(int(found[2], 16)).encode("utf-8", "replace")
        yield found.start(), found.end(), _SIGNS.get(sign, sign)


def quotes(text: bytes) -> int:
    """How many quotes begin or end a string of JSON."""
    return (_PAIR.sub(b"", text) if b"\\" in text else text).count(b'"')


def without_media(text: bytes) -> bytes:
    """The text, as long as it was, without strings that begin as pictures and sound do."""
    pieces: list[bytes] = []
    at = 0
    while found := _MEDIA.search(text, at):
        end = text.find(b'"', found.end())
        end = len(text) if end < 0 else end
        pieces += (text[at : found.end()], bytes(end - found.end()))
        at = end
    return b"".join((*pieces, text[at:])) if pieces else text


def plain(secret: bytes) -> bytes:
    """A secret from the inside of a JSON string, its escapes undone."""
    if b"\\" not in secret:
        return secret
    try:
        return str(orjson.loads(b'"%b"' % secret)).encode()
    except orjson.JSONDecodeError:
        return secret
