"""No production key may stand anywhere but in the credential's place: such a call is refused.

It runs before every other judgement but the destination's, and no setting switches it off.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from openai_gateway.api.errors import refusal
from openai_gateway.content.texts import joined
from openai_gateway.content.views import is_quick
from openai_gateway.core.call import Call, Content
from openai_gateway.core.verdict import PASS, Pass, Refuse, Verdict
from openai_gateway.keys import places
from openai_gateway.keys.places import Place
from openai_gateway.keys.search import Hunt, Identity, Search, hunt_for, quick_hunt

CODE: Final = "gateway_production_key_leaked"
IN_BODY: Final = ("the body", "multipart", "the head of a multipart")
OVER_BUDGET: Final = Pass("pass: budget")
FLOOD: Final = (
    "The call holds more text that begins like an API key than can be compared with the "
    "fingerprints of the production keys, so it may hold one. Send less of it at a time."
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a production key stands, and which mapping's it is. Never the key."""

    place: str
    mapping: str


class Tripwire:
    """Looks through a whole call for the production keys of these identities."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self.search = Search(identities)

    def find(self, call: Call, hunt: Hunt | None = None) -> Found | None:
        """The first production key out of place; `hunt` tells afterwards what was not looked at."""
        hunt = hunt or hunt_for(size_of(call))
        return self.in_head(call, hunt) or self.in_body(call, hunt)

    def is_clean(self, call: Call) -> bool:
        """Whether a short call holds no key, told at once; else `find` has to look closer."""
        body = call.request.body
        if body and call.content.data is not body:
            return False
        text = b"\n".join((places.head_text(call.request), body))
        if not is_quick(text):
            return False
        hunt = quick_hunt()
        if self.search.first(text, hunt) or self.search.in_names(places.names(call.request)):
            return False
        return not (hunt.partial or hunt.flooded or hunt.budget.over)

    def in_head(self, call: Call, hunt: Hunt) -> Found | None:
        """All of the head at once, as it is clean nearly always; the place only if it is not."""
        request = call.request
        name = self.search.first(places.head_text(request), hunt)
        if name is not None:
            return self.placed(name, places.head(request), "the head of the call")
        name = self.search.in_names(places.names(request))
        return Found("a header name", name) if name is not None else None

    def in_body(self, call: Call, hunt: Hunt) -> Found | None:
        request, content = call.request, call.content
        if not request.body:
            return None
        name = self.in_content(content, hunt)
        if name is not None:
            stand = places.body(content, request.first(b"content-type"))
            return self.placed(name, stand, self.at_byte(content.data))
        if content.data is request.body:
            return None
        name = self.search.first(request.body, hunt)
        return Found(self.at_byte(request.body), name) if name is not None else None

    def in_content(self, content: Content, hunt: Hunt) -> str | None:
        """As it stands, and where part of a key was seen also with the texts put together."""
        hunt.partial = False
        name = self.search.first(content.data, hunt)
        if name is None and hunt.partial and content.kind == "json":
            name = self.search.first("\n".join(joined(content.parsed).values()).encode(), hunt)
        return name

    def placed(self, name: str, stand: Iterable[Place], otherwise: str) -> Found:
        """The first place that holds a key by itself; `otherwise` where it is spread."""
        for label, text in stand:
            found = self.search.first(text, hunt_for(len(text)))
            if found is not None:
                return Found(label, found)
        return Found(otherwise, name)

    def at_byte(self, data: bytes) -> str:
        at = [data.find(value) for value, _ in self.search.plain if value in data]
        return f"the body at byte {min(at)}" if at else "the body"

    def in_message(self, content: bytes, hunt: Hunt) -> Found | None:
        """One WebSocket message, whole."""
        name = self.in_content(Content(content), hunt)
        if name is None and not hunt.partial:
            return None
        parsed = message_content(content)
        name = name or self.in_content(parsed, hunt)
        if name is None:
            return None
        return self.placed(name, in_message(parsed), "a websocket message")


def in_message(content: Content) -> Iterable[Place]:
    return ((label.replace("the body", "a websocket message"), text)
            for label, text in places.body(content, b""))  # fmt: skip


def message_content(content: bytes) -> Content:
    try:
        return Content(content, "json", orjson.loads(content))
    except orjson.JSONDecodeError:
        return Content(content, "text")


def size_of(call: Call) -> int:
    return len(call.request.body) + len(call.content.data)


class TripwireStage:
    """The tripwire as a stage of the corridor, and as a judge of WebSocket messages."""

    name = "tripwire"
    limit_s = 30.0

    def __init__(self, tripwire: Tripwire) -> None:
        self.tripwire = tripwire

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        return PASS if self.tripwire.is_clean(call) else self.in_thread(call)

    async def in_thread(self, call: Call) -> Verdict:
        """All of it, which may take long."""
        hunt = hunt_for(size_of(call))
        found = await asyncio.to_thread(self.tripwire.find, call, hunt)
        said = verdict(found, hunt)
        if isinstance(said, Refuse):
            scrub(call, found)
        return said

    def head(self, call: Call) -> Verdict:
        """The head alone, of a call whose body will not be read."""
        hunt = hunt_for(0)
        found = self.tripwire.in_head(call, hunt)
        said = verdict(found, hunt)
        if isinstance(said, Refuse):
            scrub(call, found)
        return said

    def message(self, call: Call, content: bytes, *, whole: bool = True) -> Verdict:  # noqa: ARG002 - as every judge
        hunt = hunt_for(len(content))
        return verdict(self.tripwire.in_message(content, hunt), hunt)


def verdict(found: Found | None, hunt: Hunt) -> Verdict:
    if found is not None:
        return Refuse(refusal(CODE, message(found), reason="leaked"))
    if hunt.flooded:
        return Refuse(refusal(CODE, FLOOD, reason="leaked"))
    return OVER_BUDGET if hunt.budget.over else PASS


def message(found: Found) -> str:
    return (
        f"The production key of mapping `{found.mapping}` stands in {found.place}. It may stand in "
        "the Authorization header only, where the gateway swaps it. Take it out, and rotate it if "
        "others saw it. Nothing was sent."
    )


def scrub(call: Call, found: Found | None) -> None:
    """Takes out of a refused call what its row would show: SDK, method and path."""
    call.sdk = None
    if found is None or not found.place.startswith(IN_BODY):
        call.request.method = "-"
        call.request.target = b"/[REDACTED:production-key]"
