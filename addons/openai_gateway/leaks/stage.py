"""The stage that keeps secrets from leaving: reads the whole call, then refuses it or redacts it.

Small calls are read at once, larger ones in a thread: nothing may hold the event loop for long.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

import orjson

from openai_gateway.api.errors import refusal
from openai_gateway.core.call import Call, Content, Found
from openai_gateway.core.clock import Clock
from openai_gateway.core.verdict import PASS, Changed, Pass, Refuse, Verdict
from openai_gateway.leaks import row
from openai_gateway.leaks.answers.answers import AnswerScan
from openai_gateway.leaks.policy import Actions, Allowance
from openai_gateway.leaks.reading.budget import Budget, budget_for
from openai_gateway.leaks.reading.ledger import Done, Finding, Judge, Ledger
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.reading.read import BODY, Reading, read_body
from openai_gateway.leaks.reading.read_head import CleanLines, HeadReading, read_head
from openai_gateway.leaks.seam import passed_of

CODE: Final = "gateway_secret_detected"
# Its own word beside the rules' ids: something could not be decoded within its bounds.
OVER: Final = "over-budget"
# Of head and body together. Ordinary text of this size takes 0.3 ms, the dearest that was found 8.
INLINE: Final = 3 * 1024
PIECE: Final = 1024 * 1024
SEAM: Final = 8 * 1024
CODED: Final = "the body as it is packed"
MOST_TOLD: Final = 5
NAME: Final = "a name in "
_SAID: Final = {"block": "blocked", "redact": "redacted", "report": "reported"}
_WOULD: Final = {"block": "would_block", "redact": "would_redact", "report": "reported"}


class Policy(Protocol):
    """The section `leaks` of gateway.yaml."""

    @property
    def mode(self) -> str: ...
    @property
    def action(self) -> Done: ...
    @property
    def responses(self) -> Literal["off", "report", "redact"]: ...
    @property
    def on_budget(self) -> str: ...
    @property
    def allow(self) -> Sequence[Allowance]: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """All of one call, or one message, as it was read."""

    entries: list[tuple[Finding, Done]]
    over: bool

    def of(self, done: Done) -> list[Finding]:
        return [finding for finding, what in self.entries if what == done]


class Leaks:
    """The stage, and the judge of WebSocket messages."""

    name: Final = "leaks"
    limit_s: Final = 60.0

    def __init__(self, policy: Policy, detector: Detector | None, clock: Clock) -> None:
        """Without a detector nothing is read: `leaks.mode` is off."""
        self._detector = detector
        self._clock = clock
        self._judge: Judge = Actions(policy.action, policy.allow, clock)
        self._enforces = policy.mode == "enforce"
        self._blocks_over = policy.on_budget == "block"
        self._answers = policy.responses
        self._clean_lines = CleanLines()

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        """Refuses, redacts in place, or notes what was found; sets `call.judged`."""
        if self._detector is None:
            call.judged = True
            return PASS
        size = size_of(call)
        budget = budget_for(size, self._clock)
        if size <= INLINE:
            return self._checked(call, self._detector, budget)
        return self._in_thread(call, self._detector, budget)

    async def _in_thread(self, call: Call, detector: Detector, budget: Budget) -> Verdict:
        try:
            return await asyncio.to_thread(self._checked, call, detector, budget)
        finally:
            budget.end()  # whoever waits no longer leaves no thread at work

    def _checked(self, call: Call, detector: Detector, budget: Budget) -> Verdict:
        request, content = call.request, call.content
        head = read_head(request, detector, self._judge, budget, self._clean_lines)
        kind = request.first(b"content-type")
        body = read_body(content, kind, detector, self._judge, budget)
        found = head.findings + body.findings + self._in_coding(call, detector)
        judged = Judged(found, head.over_budget or body.over_budget)
        verdict = self._verdict(call, judged)
        if judged.entries:
            forget(call, judged, detector)
        if isinstance(verdict, Refuse):
            return verdict
        if self._enforces:
            rewrite(call, head, body)
        call.judged = True
        self._watch_answer(call, detector)
        return verdict

    def _in_coding(self, call: Call, detector: Detector) -> list[tuple[Finding, Done]]:
        """What stands in the clear in a packed body: in the head of a gzip member, for instance.
        It cannot be taken out there."""
        packed = call.request.body
        if not packed or packed is call.content.data:
            return []
        ledger = Ledger(self._judge, "body")
        for at in range(0, len(packed), PIECE - SEAM):
            piece = packed[at : at + PIECE]
            for hit in detector.find(piece, strong=True):
                ledger.note(hit, piece[hit.start : hit.end], CODED, writable=False)
        return ledger.entries()

    def clean(self, call: Call) -> None:
        """Takes secrets out of what the call's row will show."""
        if self._detector is not None:
            row.clean(call, self._detector)

    def _watch_answer(self, call: Call, detector: Detector) -> None:
        if self._answers != "off" and not call.websocket:
            mode = self._answers if self._enforces else "report"
            call.answer_scan = AnswerScan(call.endpoint, detector, self._judge, mode)

    def message(self, call: Call, content: bytes, *, whole: bool = True) -> Verdict | Changed:
        """One message; or, not `whole`, where it meets the one before: there nothing can be
        replaced, and what stands in either was judged and noted with it."""
        if self._detector is None:
            return PASS
        budget = budget_for(len(content), self._clock)
        reading = read_body(_message(content), b"", self._detector, self._judge, budget)
        entries = [(in_message(one), done) for one, done in reading.findings]
        passed = call.passed = passed_of(call.passed)
        over = reading.over_budget
        if not whole:
            entries, over = passed.across(entries), over and not passed.over
        else:
            passed.over = over
        verdict = self._verdict(call, Judged(entries, over))
        if isinstance(verdict, Refuse):
            return verdict
        passed.add(one for one, done in entries if not (self._enforces and done == "redact"))
        if reading.data is content or not (self._enforces and whole):
            return verdict
        return Changed(reading.data)

    def _verdict(self, call: Call, judged: Judged) -> Verdict:
        """Notes what was found, and says what becomes of the call."""
        blocked = judged.of("block")
        over = judged.over and self._blocks_over
        words = _SAID if self._enforces else _WOULD
        for finding, done in judged.entries:
            if done != "allow":
                call.note_found(Found(finding.rule.id, words[done], finding.location))
        if judged.over:
            done = "block" if self._blocks_over else "report"
            call.note_found(Found(OVER, words[done], "body"))
        if (blocked or over) and self._enforces:
            return Refuse(refusal(CODE, _told(blocked)))
        if blocked or over:
            call.note_would("blocked")
        elif judged.of("redact") and not self._enforces:
            call.note_would("redacted")
        return Pass(_note(judged, words)) if judged.entries or judged.over else PASS


def forget(call: Call, judged: Judged, detector: Detector) -> None:
    """What the later stages count and note by must be no secret: the model, the fields' names."""
    if call.model_requested and detector.find(call.model_requested.encode()):
        call.model_requested = None
    if any(finding.place.startswith(NAME) for finding, _ in judged.entries):
        call.features = {}


def in_message(finding: Finding) -> Finding:
    """The finding as one of a message, which has no body."""
    place = "the message" if finding.place == BODY else finding.place
    return replace(finding, location="websocket", place=place)


def size_of(call: Call) -> int:
    """The bytes that are to be read: of head and body, unpacked where it is packed."""
    request = call.request
    head = sum(len(name) + len(value) for name, value in request.headers) + len(request.target)
    return head + max(len(request.body), len(call.content.data))


def rewrite(call: Call, head: HeadReading, body: Reading) -> None:
    """The call without what was redacted. A packed body leaves plain then."""
    request, content = call.request, call.content
    request.target, request.headers, request.trailers = head.target, head.headers, head.trailers
    if body.data is content.data:
        return
    request.body = body.data
    request.drop(b"content-encoding")
    parsed = orjson.loads(body.data) if content.kind == "json" else content.parsed
    call.content = replace(content, data=body.data, parsed=parsed)


def _message(content: bytes) -> Content:
    text = content.lstrip()[:1]
    return Content(content, "json" if text in (b"{", b"[") and _is_json(content) else "text")


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def _note(judged: Judged, words: dict[str, str]) -> str:
    """For the trace: the rules, each with what was done."""
    said = [f"{words.get(done, 'allowed')} {finding.rule.id}" for finding, done in judged.entries]
    return "; ".join(dict.fromkeys([*said[:MOST_TOLD], *([OVER] if judged.over else [])]))


def _told(blocked: Sequence[Finding]) -> str:
    """The rules and places, never the value."""
    if not blocked:
        return (
            "Something in this request could not be decoded within its bounds, and leaks.on_budget "
            "is `block` in gateway.yaml. Nothing was sent. Send less, or plainer."
        )
    places = [f"{one.rule.id} in {one.place}" for one in blocked[:MOST_TOLD]]
    more = f" and {len(blocked) - MOST_TOLD} more" if len(blocked) > MOST_TOLD else ""
    return (
        f"This request holds what must not leave, so nothing was sent: {'; '.join(places)}{more}. "
        f"Take it out. If it is no secret, add its rule with a reason to leaks.allow in "
        f"gateway.yaml."
    )
