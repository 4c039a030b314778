"""Whether a substitute can do what a call asks of the model that it names: if a parameter has to be
written otherwise it is, where the meaning stays; else the call keeps its model, and says why.

docs/staging.md tells each rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from openai_gateway.api.asking import MAXIMA, count
from openai_gateway.api.bill import tier_named
from openai_gateway.api.capabilities import Capabilities, Capable
from openai_gateway.api.dearer import dearer
from openai_gateway.api.rates import STANDARD, Entry
from openai_gateway.staging import inputs
from openai_gateway.staging.edits import Add, Edit, Rename
from openai_gateway.staging.pairs import Pair

type Object = Mapping[str, object]

CHAT: Final = "chat.create"
# Sampling: reasoning models take them only with effort none, and at their default.
SAMPLING: Final[Mapping[str, tuple[object, ...]]] = {
    "temperature": (1, None),
    "top_p": (1, None),
    "logprobs": (False, None),
    "top_logprobs": (None,),
}
LOGPROBS: Final = "message.output_text.logprobs"
_INCLUDES: Final = frozenset({"reasoning.encrypted_content", LOGPROBS})
# What it takes is not known for other forms of transcripts.
_TRANSCRIPTS: Final = (None, "json", "text")
_BYTES_A_TOKEN: Final = 4


class Unfit(Exception):
    """The call keeps its model. `reason` is one of `parameter`, `input`, `tools`, `structured`,
    `context`, `endpoint`, `dearer`; `detail` names a field of the API, never a client's text."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Asking:
    """A request, of which `body` are its fields: of its JSON, of its form, or none at all."""

    endpoint: str
    body: Object
    size: int
    session: bool = False  # the fields stand in `session`


def fit(asking: Asking, pair: Pair, capabilities: Capabilities) -> tuple[Edit, ...]:
    """What has to be written otherwise for the substitute. Raises: Unfit."""
    can, was, price = pair.sent.can, pair.requested.can, pair.sent.price
    if can is None or was is None or price is None:
        raise Unfit("unknown")
    if asking.endpoint not in can.endpoints:
        raise Unfit("endpoint")
    _known(asking, capabilities.allowed(can.kind, asking.endpoint))
    _tier(asking.body, pair, price)
    _size(asking, price)
    if can.kind == "transcription" and asking.body.get("response_format") not in _TRANSCRIPTS:
        raise Unfit("parameter", "response_format")
    if can.kind == "audio":
        _heard(asking.body, can)
    return tuple(_chat(asking, was, can)) if can.kind == "chat" else ()


def _known(asking: Asking, allowed: frozenset[str]) -> None:
    """Only fields of the list: what is not known may be what the substitute rejects."""
    names = {*asking.body}
    session = asking.body.get("session")
    if asking.session and isinstance(session, dict):
        names |= session.keys()
    if not names <= allowed:
        raise Unfit("parameter", _told(names - allowed))


def _told(names: set[str]) -> str:
    """The first of these that is a parameter of OpenAI's; another name is the client's text."""
    return min(names & _NAMED, default="not listed")


def _tier(body: Object, pair: Pair, price: Entry) -> None:
    word = body.get("service_tier")
    if word is None:
        return
    tier = tier_named(word) if isinstance(word, str) else None
    requested = pair.requested.price
    if tier is None or requested is None:
        raise Unfit("parameter", "service_tier")
    if tier != STANDARD and (tier, False) not in price.rates:
        raise Unfit("parameter", "service_tier")
    if dearer(requested, price, tier) is not None:
        raise Unfit("dearer", "service_tier")


def _size(asking: Asking, price: Entry) -> None:
    """Near the window nobody knows: an estimate that is too high only keeps the model."""
    if price.max_input is not None and asking.size // _BYTES_A_TOKEN > price.max_input:
        raise Unfit("context", "input")
    asked = max((count(asking.body.get(name)) or 0 for name in MAXIMA), default=0)
    if price.max_output is not None and asked > price.max_output:
        raise Unfit("context", "output")


def _heard(body: Object, can: Capable) -> None:
    if not inputs.kinds(body) <= can.inputs:
        raise Unfit("input")


def _chat(asking: Asking, was: Capable, can: Capable) -> Iterator[Edit]:
    body = asking.body
    _words(body)
    if not inputs.kinds(body) - {"text"} <= can.inputs:
        raise Unfit("input")
    if _wants_schema(body) and not can.structured:
        raise Unfit("structured")
    effort, edit = _effort(asking, was, can)
    _tools(asking, can, effort)
    _sampling(body, can, effort)
    if edit is not None:
        yield edit
    if asking.endpoint == CHAT and can.reasoning:
        yield from _maximum(body, was)


def _words(body: Object) -> None:
    """Values that only some models take."""
    if body.get("modalities") not in (None, ["text"]):
        raise Unfit("parameter", "modalities")
    include = body.get("include")
    listed = include if isinstance(include, list) else [include]
    if include is not None and not all(inputs.among(one, _INCLUDES) for one in listed):
        raise Unfit("parameter", "include")


def _wants_schema(body: Object) -> bool:
    text = body.get("text")
    said = body.get("response_format", text.get("format") if isinstance(text, dict) else None)
    return said is not None and said != {"type": "text"}


def _effort(asking: Asking, was: Capable, can: Capable) -> tuple[str | None, Edit | None]:
    """The effort that the substitute will think with, and what must be said so that it does."""
    named = _named_effort(asking)
    if named is not None:
        if named not in can.efforts:
            raise Unfit("parameter", "reasoning_effort")
        return named, None
    own = was.own_effort
    if own is None or own == can.own_effort:
        return can.own_effort, None
    if own not in can.efforts or _says_null(asking.body):
        raise Unfit("parameter", "reasoning_effort")
    if asking.endpoint == CHAT:
        return own, Add((), "reasoning_effort", own)
    inner = ("reasoning",) if asking.body.get("reasoning") is not None else ()
    return own, Add(inner, "effort", own) if inner else Add((), "reasoning", {"effort": own})


def _named_effort(asking: Asking) -> str | None:
    reasoning = asking.body.get("reasoning")
    if reasoning is not None and not isinstance(reasoning, dict):
        raise Unfit("parameter", "reasoning")
    inner = reasoning.get("effort") if isinstance(reasoning, dict) else None
    named = asking.body.get("reasoning_effort", inner)
    return None if named is None else str(named)


def _says_null(body: Object) -> bool:
    """A null is a value of its own: nothing can be added beside it."""
    reasoning = body.get("reasoning", {})
    inner = reasoning is None or (isinstance(reasoning, dict) and "effort" in reasoning)
    return inner or "reasoning_effort" in body


def _tools(asking: Asking, can: Capable, effort: str | None) -> None:
    tools = asking.body.get("tools")
    if not tools:
        return
    for tool in tools if isinstance(tools, list) else (None,):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if not inputs.among(kind, can.tools):
            raise Unfit("tools", str(kind) if inputs.among(kind, _TOOLS) else "")
    if asking.endpoint == CHAT and not _in_chat(can, effort):
        raise Unfit("tools", "function")


def _in_chat(can: Capable, effort: str | None) -> bool:
    return can.chat_tools == "always" or (can.chat_tools == "effort_none" and effort == "none")


def _sampling(body: Object, can: Capable, effort: str | None) -> None:
    if not can.reasoning or effort == "none":
        return
    for name, defaults in SAMPLING.items():
        if name in body and body[name] not in defaults:
            raise Unfit("parameter", name)
    include = body.get("include")
    if isinstance(include, list) and LOGPROBS in include:
        raise Unfit("parameter", "include")


def _maximum(body: Object, was: Capable) -> Iterator[Edit]:
    """max_tokens is what max_completion_tokens is, for a model that does not think. One that does
    would have refused it itself: then nothing is written otherwise."""
    if "max_tokens" not in body:
        return
    if was.reasoning or "max_completion_tokens" in body:
        raise Unfit("parameter", "max_tokens")
    yield Rename((), "max_tokens", "max_completion_tokens")


_TOOLS: Final = frozenset(
    {
        *("function", "custom", "web_search", "web_search_preview", "file_search", "mcp", "shell"),
        *("code_interpreter", "image_generation", "computer_use_preview", "local_shell"),
        *("apply_patch", "tool_search", "namespace"),
    }
)
_NAMED: Final = frozenset(
    {
        *("n", "stop", "logit_bias", "prediction", "seed", "functions", "function_call", "audio"),
        *("frequency_penalty", "presence_penalty", "web_search_options", "prompt", "moderation"),
        *("prompt_cache_retention", "prompt_cache_options", "context_management", "instructions"),
        *("stream", "stream_format", "temperature", "include", "timestamp_granularities", "speed"),
        *("chunking_strategy", "known_speaker_names", "known_speaker_references", "tools"),
        *("turn_detection", "tracing", "truncation", "reasoning", "background", "max_tokens"),
    }
)
