"""A whole answer, or an event that is no delta: read at once, redacted in place.

An answer that is whole is read like a request, encodings and all; an event only as it stands, since
the deltas that it repeats were read so.
"""

from typing import Final

import orjson

from openai_gateway.content.texts import place
from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.answers.answer_lookout import LOCATION, Lookout, cut, unread
from openai_gateway.leaks.answers.answer_splice import in_json, path_at, without_odds
from openai_gateway.leaks.reading.budget import budget_for
from openai_gateway.leaks.reading.edits import Cut, applied, redactions
from openai_gateway.leaks.reading.hits import whole_characters
from openai_gateway.leaks.reading.read import read_text

ANSWER: Final = "the answer"
# Each place costs a walk through the text.
_MOST_PLACES: Final = 16


def redacted(data: bytes, lookout: Lookout, *, json: bool) -> bytes:
    """The text without what must not reach the client; the same object where nothing has to go.

    `json`: it is JSON, or an event of a stream with JSON in it.
    """
    cuts: list[Cut] = []
    hits = lookout.hits(data, escaped=json)
    for number, hit in enumerate(hits):
        path = path_at(data, hit.start) if json and number < _MOST_PLACES else ()
        if path[-1:] == ("obfuscation",):
            continue  # chance, and no text
        if lookout.must_go(hit, data, place(path) or ANSWER, escaped=json):
            cuts.append(cut(*whole_characters(data, hit.start, hit.end), hit.rule.id))
    if not cuts:
        return data
    edits = redactions([*cuts, *unread(hits, 0, len(data))])
    return without_odds(applied(data, in_json(data, edits))) if json else applied(data, edits)


def whole(body: bytes, lookout: Lookout) -> bytes:
    """The same of a whole answer. What stands in an encoding that cannot be replaced in place is
    reported only: an answer cannot be refused any more.

    Where it is only to be reported it is read as it stands: every call has an answer, and few have
    a secret in them, let alone an encoded one.
    """
    if not lookout.redacts:
        return redacted(body, lookout, json=body.lstrip()[:1] in (b"{", b"["))
    budget = budget_for(len(body), SystemClock())
    reading = read_text(body, ANSWER, LOCATION, lookout.detector, lookout.judged, budget)
    passed = reading.data
    if any(done == "block" for _, done in reading.findings):
        lookout.over_budget = True
        passed = redacted(body, lookout, json=is_json(body))
    lookout.over_budget = lookout.over_budget or reading.over_budget
    for finding, done in reading.findings:
        if done != "allow":
            lookout.note(finding, "redact" if done == "redact" else "report")
    return passed if passed is body else without_odds(passed)


def is_json(body: bytes) -> bool:
    """Whether a body that begins as JSON does is JSON to its end."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True
