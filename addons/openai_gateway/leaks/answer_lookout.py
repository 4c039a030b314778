"""What is found in an answer's texts: each finding is noted once, and what must not reach the
client is named by its place. An answer repeats its texts (`.done`, `response.completed`)."""

import hashlib
import re
from typing import Final, Literal

import orjson

from openai_gateway.leaks.edits import Edit
from openai_gateway.leaks.hits import whole_characters
from openai_gateway.leaks.ledger import Done, Finding, Judge
from openai_gateway.leaks.mark import mark
from openai_gateway.leaks.places import Detector
from openai_gateway.leaks.rule import Hit

type Mode = Literal["report", "redact"]

LOCATION: Final = "answer"
MOST_FINDINGS: Final = 1000
# What a text too long to be judged leaves behind.
DROPPED: Final = b"[REDACTED:too-long]"
# Longer texts are looked through for pictures and sound first: these cost most and tell nothing.
LONG: Final = 16 * 1024
# One escape of JSON, at whatever depth of JSON in JSON.
_ESCAPE: Final = re.compile(rb'\\++(?:u[0-9a-fA-F]{4}|[nrtbf"/])')
_SIGNS: Final = {0x2F: b"/", 0x6E: b"\n", 0x72: b"\r", 0x74: b"\t"}
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
        if not escaped:
            return self.detector.find(text, before=before)
        flattened = flat(text)
        if len(text) > LONG:
            flattened = without_media(flattened)
        return self.detector.find(flattened, before=flat(before))

    def edits(self, text: bytes, sent: int, place: str, *, escaped: bool) -> list[Edit]:
        """What is to be replaced behind `sent`: what stands before it has left already, and of a
        secret that began there the rest is kept back. `escaped`: it is the inside of JSON."""
        edits = []
        for hit in self.hits(text, escaped=escaped):
            if hit.end > sent and self.must_go(hit, text, place, escaped=escaped):
                start, end = whole_characters(text, hit.start, hit.end)
                edits.append(Edit(max(start, sent), end, mark(hit.rule.id)))
        return edits

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


def flat(text: bytes) -> bytes:
    r"""The text of JSON, as long as it was, with its escapes undone: in `\nghp_…` no letter stands
    before the token. A quote that is escaped becomes another, so that `"` only bounds strings."""
    return _ESCAPE.sub(_undone, text) if b"\\" in text else text


def _undone(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    sign = _SIGNS.get(escape[-1], b" ")
    if escape.endswith(b'"'):
        sign = b'"' if len(escape) % 2 else b"'"
    return b" " * (len(escape) - 1) + sign


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
