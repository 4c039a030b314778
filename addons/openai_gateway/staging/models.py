"""Which model is sent: a cheaper one in its place (`models.substitute`), or none at all
(`models.deny`, and `models.unpriced` for those without a price).

Both are judged on the model that would be sent. A model that the gateway cannot see (OpenAI's
default where none is named, those inside an uploaded batch) is not judged: there is nothing to
judge it by.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Final, Protocol

from openai_gateway.api.capabilities import Capabilities
from openai_gateway.api.errors import refusal
from openai_gateway.api.prices import PriceTable
from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Changed, Pass, Refusal, Refuse, Verdict
from openai_gateway.staging import frames
from openai_gateway.staging.edits import Edit, signs, spliced
from openai_gateway.staging.fit import Asking, Unfit, fit
from openai_gateway.staging.pairs import Pair, Pairs, today
from openai_gateway.staging.substitution import apply, change

DENIED: Final = "denied"
SUBSTITUTED: Final = "substituted"
# Up to here, and of so many signs, a body is looked through in less than 1 ms.
INLINE: Final = 64 * 1024
MOST_SIGNS: Final = 800


class Policy(Protocol):
    """The section `models` of gateway.yaml."""

    @property
    def mode(self) -> str: ...
    @property
    def substitute(self) -> Mapping[str, str]: ...
    @property
    def deny(self) -> Sequence[str]: ...
    @property
    def unpriced(self) -> str: ...


class Models:
    """The stage, and the judge of what is said over an open WebSocket."""

    name: Final = "models"
    limit_s: Final = 10.0

    def __init__(
        self,
        policy: Policy,
        prices: PriceTable,
        capabilities: Capabilities,
        on: Callable[[], date] = today,
    ) -> None:
        self._mode = policy.mode
        self._enforces = policy.mode == "enforce"
        self._deny = tuple(policy.deny)
        self._priced_only = policy.unpriced == "block"
        self._prices = prices
        self._capabilities = capabilities
        self._pairs = Pairs(policy.substitute if policy.mode != "off" else {}, prices, capabilities)
        self._today = on

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        """Sets `call.model_sent`, and the request to it; refuses, or with `observe` notes that it
        would have."""
        call.model_sent = call.model_requested
        pair = self._pair(call.model_requested)
        if pair is None:
            return self._verdict(call, self._objection(call.model_sent))
        if self._is_heavy(call.content.data):
            return self._in_thread(call, pair)
        return self._replaced(call, pair)

    async def _in_thread(self, call: Call, pair: Pair) -> Verdict:
        return await asyncio.to_thread(self._replaced, call, pair)

    def message(self, call: Call, content: bytes, *, whole: bool = True) -> Verdict | Changed:
        """A frame may name a model of its own: of a response, or of the session from here on."""
        if not (whole and self._judges) or not frames.may_name(content):
            return PASS
        shown = content
        for named in frames.named(content):
            pair, model = self._pair(named.model), named.model
            edits = None if pair is None else self._edits(call, named, pair)
            if pair is not None and edits is not None:
                model = pair.sent.name
                shown = self._renamed(call, shown, pair, edits)
            said = self._verdict(call, self._objection(model))
            if isinstance(said, Refuse):
                return said
        return PASS if shown is content else Changed(shown)

    @property
    def _judges(self) -> bool:
        return self._mode != "off" and bool(self._deny or self._priced_only or self._pairs)

    def _pair(self, model: str | None) -> Pair | None:
        if not self._pairs or model is None or len(model) > frames.LONGEST_MODEL:
            return None
        return self._pairs.of(model, self._today())

    def _is_heavy(self, data: bytes) -> bool:
        return len(data) > INLINE or signs(data) > MOST_SIGNS

    def _replaced(self, call: Call, pair: Pair) -> Verdict:
        """The call with its substitute, or with its own model where that cannot do what it asks."""
        try:
            if pair.why:
                raise Unfit(pair.why)
            made = change(call, pair, self._capabilities)
        except Unfit as unfit:
            note = keep(call, pair, unfit)
            return self._verdict(call, self._objection(pair.requested.name), note)
        name = pair.sent.name
        if self._enforces:
            apply(call, made)
            adapted = ", ".join(edit.name for edit in made.edits)
            note = f"{SUBSTITUTED} {name}" + (f" ({adapted})" if adapted else "")
        else:
            call.note_would(SUBSTITUTED)
            note = f"would_be_{SUBSTITUTED}: {name}"
        return self._verdict(call, self._objection(name), note)

    def _edits(self, call: Call, named: frames.Named, pair: Pair) -> tuple[Edit, ...] | None:
        """What has to be written into a frame for the substitute; None where it keeps its model.
        A session that runs on the substitute already can only go on with it."""
        try:
            if named.of_session and pair.sent.name == call.model_sent:
                return named.edits(pair, ())
            if pair.why:
                raise Unfit(pair.why)
            asking = Asking(call.endpoint, named.body, named.size)
            return named.edits(pair, fit(asking, pair, self._capabilities))
        except Unfit as unfit:
            keep(call, pair, unfit)
            return None

    def _renamed(self, call: Call, content: bytes, pair: Pair, edits: tuple[Edit, ...]) -> bytes:
        if not self._enforces:
            call.note_would(SUBSTITUTED)
            return content
        call.renamed[pair.sent.name] = pair.requested.name
        return spliced(content, edits)

    def _verdict(self, call: Call, refused: Refusal | None, note: str = "") -> Verdict:
        if refused is None:
            return Pass(note) if note else PASS
        if self._enforces:
            return Refuse(refused)
        call.note_would(DENIED)
        return Pass(f"would_be_{DENIED}: {refused.code}")

    def _objection(self, model: str | None) -> Refusal | None:
        if model is None or self._mode == "off":
            return None
        glob = next((glob for glob in self._deny if fnmatchcase(model, glob)), None)
        if glob is not None:
            return refusal("gateway_model_denied", _denied(model, glob), param="model")
        if self._priced_only and self._prices.lookup(model) is None:
            return refusal("gateway_unpriced_model", _unpriced(model), param="model")
        return None


def keep(call: Call, pair: Pair, unfit: Unfit) -> str:
    """Notes that the call keeps its model, and why."""
    call.kept.append((pair.requested.name, unfit.reason))
    return f"kept: {unfit.reason}" + (f" {unfit.detail}" if unfit.detail else "")


def _denied(model: str, glob: str) -> str:
    return (
        f"The model `{model}` may not be sent from here: `{glob}` stands in models.deny of "
        f"gateway.yaml. Ask for another model, or take it out there."
    )


def _unpriced(model: str) -> str:
    return (
        f"The model `{model}` has no price in the gateway's list, and models.unpriced is `block` "
        f"in gateway.yaml. Ask for another model, give it a price in the file that models.prices "
        f"names, or set `models: {{unpriced: allow}}`."
    )
