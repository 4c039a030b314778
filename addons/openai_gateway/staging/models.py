"""Which model may be sent: `models.deny`, and `models.unpriced` for those without a price.

A model that the gateway cannot see (OpenAI's default where none is named, those inside an uploaded
batch) is not judged: there is nothing to judge it by.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final, Protocol

import orjson

from openai_gateway.api.errors import refusal
from openai_gateway.api.prices import PriceTable
from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Pass, Refusal, Refuse, Verdict

WOULD: Final = "denied"
_NAMES_ONE: Final = (b'"model"', b"\\u00")
_HOLDERS: Final = ("response", "session")


class Policy(Protocol):
    """The section `models` of gateway.yaml."""

    @property
    def mode(self) -> str: ...
    @property
    def deny(self) -> Sequence[str]: ...
    @property
    def unpriced(self) -> str: ...


class Models:
    """The stage, and the judge of what is said over an open WebSocket."""

    name: Final = "models"
    limit_s: Final = 1.0

    def __init__(self, policy: Policy, prices: PriceTable) -> None:
        self._mode = policy.mode
        self._deny = tuple(policy.deny)
        self._priced_only = policy.unpriced == "block"
        self._prices = prices

    def check(self, call: Call) -> Verdict:
        """Sets `call.model_sent`; refuses, or with `observe` notes that it would have."""
        call.model_sent = call.model_requested
        return self._verdict(call, self._objection(call.model_sent))

    def message(self, call: Call, content: bytes, *, whole: bool = True) -> Verdict:
        """A frame may name a model of its own: of a response, or of the session from here on."""
        if not (whole and self._judges) or not any(mark in content for mark in _NAMES_ONE):
            return PASS
        for model in _named(content):
            refused = self._objection(model)
            if refused is not None:
                return self._verdict(call, refused)
        return PASS

    @property
    def _judges(self) -> bool:
        return self._mode != "off" and bool(self._deny or self._priced_only)

    def _verdict(self, call: Call, refused: Refusal | None) -> Verdict:
        if refused is None:
            return PASS
        if self._mode == "enforce":
            return Refuse(refused)
        call.note_would(WOULD)
        return Pass(f"would_be_{WOULD}: {refused.code}")

    def _objection(self, model: str | None) -> Refusal | None:
        if model is None or not self._judges:
            return None
        glob = next((glob for glob in self._deny if fnmatchcase(model, glob)), None)
        if glob is not None:
            return refusal("gateway_model_denied", _denied(model, glob), param="model")
        if self._priced_only and self._prices.lookup(model) is None:
            return refusal("gateway_unpriced_model", _unpriced(model), param="model")
        return None


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


def _named(content: bytes) -> Iterator[str]:
    """The models that a message names, at its top or in what it is about."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        return
    if not isinstance(said, dict):
        return
    for holder in (said, *(said.get(name) for name in _HOLDERS)):
        model = holder.get("model") if isinstance(holder, dict) else None
        if isinstance(model, str):
            yield model
