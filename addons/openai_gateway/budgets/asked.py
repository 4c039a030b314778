"""What a request asks for that costs money, read from it before it leaves: tokens in, the most out,
pictures, seconds, tools. Two figures wherever it is not told: the likely one and the most.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from openai_gateway.api import tokens
from openai_gateway.api.asking import MAXIMA, MOST, count, several
from openai_gateway.api.endpoints import Endpoint
from openai_gateway.content.body import fields, values
from openai_gateway.content.coding import Fault
from openai_gateway.core.call import Call

type Object = Mapping[str, object]

FREE: Final = ("none",)
FIRST_OUTPUT: Final = 256
# Other tools run at OpenAI: what they read is billed as input, and most have a fee of their own.
OWN_TOOLS: Final = frozenset({"function", "custom", "local_shell", "apply_patch", "namespace"})
SEARCHES: Final = frozenset({"web_search", "web_search_preview", "file_search"})
CONTAINERS: Final = frozenset({"code_interpreter", "shell"})
DRAWS: Final = "image_generation"
# Nobody says how often a model may search where `max_tool_calls` does not.
TOOL_CALLS: Final = 10
# Input that lies at OpenAI, or in a file: how much it is cannot be seen from here.
ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt", "web_search_options")
# A prompt that is written to the cache for half a day costs more than any other.
LONG_CACHE: Final = b'"12h"'
IN_FILES: Final = (b'"file_id"', b'"file_url"', b'"file_data"')
STATEFUL: Final = ("threads.", "realtime.", "live.", "agents.")
# Speech is 64 kbit/s to most; nobody sends it below 8. Whoever speaks slowly takes twice as long.
SOUND_BYTES: Final = 16_000
THIN_SOUND_BYTES: Final = 1_000
SLOWLY: Final = 2
# A picture that is no square takes half as many tokens more.
WIDE: Final = 1.5
FILM_S: Final = 4
LONG_FILM_S: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """`bound` is the most output tokens of one answer, None where nobody said; `answers` how many.

    `unseen`: there is input that the request does not show. `default` is the model of a request
    that names none; `any_model`: it is named at OpenAI, and may be any. `pictures`: the most that
    an answer in text may have drawn for it. `long_cache`: it asks to be cached for half a day.
    """

    read: int = 0
    bound: int | None = None
    likely: int = FIRST_OUTPUT
    answers: int = 1
    unseen: bool = False
    units: Mapping[str, int] = field(default_factory=dict)
    most_units: Mapping[str, int] = field(default_factory=dict)
    tier: str | None = None
    default: str | None = None
    any_model: bool = False
    long_cache: bool = False
    pictures: int = 0


def asked(call: Call) -> Asked | None:
    """What the call asks for; None where it costs nothing, whatever the answer."""
    row = call.route
    if isinstance(row, Endpoint) and (tuple(row.cost) == FREE or row.again):
        return None
    body = _body(call)
    reads = next((read for prefix, read in _READERS if call.endpoint.startswith(prefix)), _written)
    return reads(call, body)


def _body(call: Call) -> Object:
    """The request's own fields: of its JSON, or of its form."""
    content = call.content
    if isinstance(content.parsed, dict):
        return content.parsed
    if content.kind not in ("multipart", "form") or call.endpoint.startswith("audio."):
        return {}
    said = values(call.request.headers, b"content-type")
    try:
        pairs = fields(content.kind, said[0] if said else b"", content.data)
    except Fault:
        return {}
    pictures = [name for name, _ in pairs if name.startswith("image")]
    texts = {name: _text(data) for name, data in pairs if name not in pictures}
    return texts | {"image": pictures}


def _text(data: bytes) -> str:
    return data[: tokens.SAMPLE].decode("utf-8", "replace")


def _written(call: Call, body: Object) -> Asked:
    """An answer in text, of any endpoint that is not told apart below."""
    bounds = [bound for name in MAXIMA if (bound := count(body.get(name))) is not None]
    tools = _tools(body)
    kinds = {_kind(tool) for tool in tools}
    calls = count(body.get("max_tool_calls"))
    calls = TOOL_CALLS if calls is None else calls
    return Asked(
        read=tokens.of_request(body),
        bound=max(bounds) if bounds else None,
        answers=min(several(body) * _prompts(body), MOST),
        unseen=_unseen(call, body) or not kinds <= OWN_TOOLS,
        most_units={**dict.fromkeys(kinds & SEARCHES, calls), **_containers(tools)},
        tier=_word(body.get("service_tier")),
        any_model=isinstance(body.get("prompt"), dict) or call.endpoint.startswith(STATEFUL),
        pictures=calls if DRAWS in kinds else 0,
        long_cache=LONG_CACHE in call.content.data,
    )


def _unseen(call: Call, body: Object) -> bool:
    if call.endpoint.startswith(STATEFUL):
        return True
    # completions have their text in `prompt`; responses name a stored one there
    stored = (name for name in ELSEWHERE if body.get(name))
    if any(name != "prompt" or isinstance(body[name], dict) for name in stored):
        return True
    return any(mark in call.content.data for mark in IN_FILES)


def _prompts(body: Object) -> int:
    """Completions answer each prompt of a list; a list of numbers is one, given in tokens."""
    prompt = body.get("prompt")
    several = isinstance(prompt, list) and prompt and not isinstance(prompt[0], int)
    return len(prompt) if several and isinstance(prompt, list) else 1


def _tools(body: Object) -> list[Object]:
    told = body.get("tools")
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _kind(tool: Object) -> str:
    """web_search_2025_08_26 is web_search."""
    return (_word(tool.get("type")) or "function").partition("_20")[0]


def _containers(tools: Sequence[Object]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for tool in tools:
        if _kind(tool) in CONTAINERS:
            place = tool.get("container", tool.get("environment"))
            size = _word(place.get("memory_limit")) if isinstance(place, dict) else None
            found[f"container:{size or '1g'}"] = 1
    return found


def _embedded(_: Call, body: Object) -> Asked:
    """Nothing is written."""
    return Asked(read=tokens.of_request(body), bound=0, likely=0)


def _drawn(_: Call, body: Object) -> Asked:
    read = tokens.of_request(body)
    given = body.get("image", body.get("images"))
    read += tokens.PER_IMAGE * (min(len(given), 64) if isinstance(given, list) else 0)
    partial = tokens.PER_PARTIAL * min(count(body.get("partial_images")) or 0, 8)
    quality = body.get("quality")
    told = quality if isinstance(quality, str) and quality in tokens.DRAWN else "high"
    return Asked(
        read=read,
        bound=int(tokens.of_picture(told) * WIDE) + partial,
        likely=tokens.of_picture(quality) + partial,
        answers=several(body),
        default="gpt-image-1",
    )


def _spoken(_: Call, body: Object) -> Asked:
    text = body.get("input")
    said = text if isinstance(text, str) else ""
    characters = {"character": len(said)}
    sound = tokens.of_speech(said)
    return Asked(tokens.of_text(said), sound * SLOWLY, sound, 1, False, characters, characters)


def _heard(call: Call, _: Object) -> Asked:
    size = len(call.content.data)
    return Asked(
        bound=0,
        likely=0,
        units={"second": -(-size // SOUND_BYTES)},
        most_units={"second": -(-size // THIN_SOUND_BYTES)},
        default="whisper-1",
    )


def _filmed(_: Call, body: Object) -> Asked:
    size = _word(body.get("size")) or "720x1280"
    told = count(body.get("seconds"))
    unit = f"video_second:{size}"
    likely, most = {unit: told or FILM_S}, {unit: told or LONG_FILM_S}
    return Asked(bound=0, likely=0, units=likely, most_units=most, default="sora-2")


_READERS: Final[tuple[tuple[str, Callable[[Call, Object], Asked]], ...]] = (
    ("embeddings.", _embedded),
    ("decisions.", _embedded),
    ("images.", _drawn),
    ("audio.speech", _spoken),
    ("audio.", _heard),
    ("videos.", _filmed),
)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None
