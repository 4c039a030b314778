"""Which texts an event of a stream goes on with, and which it ends: the shapes of OpenAI's events
(chat, completions, responses, transcriptions, threads; openai 3.54, types/). No byte is read here,
only values; events that are not known are no deltas, and are looked at whole."""

from collections.abc import Iterator, Mapping
from typing import Final

from openai_gateway.leaks.answers.answer_splice import Path
from openai_gateway.leaks.answers.answer_told import (
    EVERYTHING,
    ITEM,
    NOTHING,
    End,
    Key,
    Piece,
    Told,
)

type Object = Mapping[str, object]

_CHAT: Final = ("content", "refusal", "reasoning_content", "reasoning")
_TOOLS: Final = (("function", "arguments"), ("custom", "input"))
_STEPS: Final = (("function", "arguments"), ("code_interpreter", "input"))
# What an event of deltas has beside its texts, and what is none.
_TOP: Final = frozenset(
    {"id", "object", "created", "model", "choices", "service_tier", "system_fingerprint", "usage"}
    | {"obfuscation"}
)
_CHOICE: Final = frozenset({"index", "delta", "text", "logprobs", "finish_reason"})
_DELTA: Final = frozenset({"role", "tool_calls", "function_call", "audio", *_CHAT})
_TYPED: Final = frozenset(
    {"type", "delta", "logprobs", "sequence_number", "obfuscation", "response_id", "segment_id"}
    | {"stream_id", *ITEM}
)
# Sound and pictures in base64: nothing to read.
MEDIA: Final = frozenset(
    {"response.audio.delta", "response.output_audio.delta", "speech.audio.delta"}
    | {"response.image_generation_call.partial_image", "image_generation.partial_image"}
    | {"image_edit.partial_image"}
)
# Behind these no text goes on; what broke off is not made whole by what was held.
_LAST: Final = frozenset({"response.completed", "response.incomplete", "transcript.text.done"})
_BROKEN: Final = frozenset({"error", "response.failed", "response.cancelled"})
# What ends texts of several kinds, or of another name.
_OUTER: Final[Mapping[str, str | None]] = {
    "response.output_item": None,
    "response.content_part": None,
    "response.reasoning_summary_part": "response.reasoning_summary_text",
}
_BROKEN_RUN: Final = frozenset({"failed", "cancelled", "expired"})


def told(value: Object) -> Told:
    """What an event's JSON tells."""
    if isinstance(choices := value.get("choices"), list):
        return _chunk(choices, broken="error" in value, more=not value.keys() <= _TOP)
    kind = value.get("type")
    if isinstance(kind, str):
        return _typed(value, kind)
    made = value.get("object")
    if isinstance(made, str) and made.startswith("thread."):
        return _thread(value, made)
    return Told(broken=True) if value.get("error") else NOTHING


def _chunk(choices: list[object], broken: bool, more: bool) -> Told:
    pieces: list[Piece] = []
    ends: list[End] = []
    media = odd = False
    for at, choice in enumerate(choices):
        if not isinstance(choice, dict):
            continue
        index, odds, known = _index(choice, at), choice.get("logprobs"), len(pieces)
        pieces += _choice(choice, at, index, odds)
        if choice.get("finish_reason") is not None:
            ends.append(End("choices", (index,)))
        delta = _inner(choice, "delta")
        media = media or "audio" in delta
        more = more or not (choice.keys() <= _CHOICE and delta.keys() <= _DELTA)
        odd = odd or (len(pieces) == known and isinstance(odds, dict) and any(odds.values()))
    return Told(tuple(pieces), tuple(ends), broken, media, odd, more)


def _choice(choice: Object, at: int, index: int, odds: object) -> Iterator[Piece]:
    if isinstance(text := choice.get("text"), str) and (text or odds):
        whole: Path | None = ("choices", at, "logprobs") if odds else None
        yield Piece(Key("choices", (index, "text")), ("choices", at, "text"), text, whole)
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return
    for name in _CHAT:
        if isinstance(text := delta.get(name), str):
            listed = isinstance(odds, dict) and odds.get(name)
            if text or listed:
                path: Path | None = ("choices", at, "logprobs", name) if listed else None
                key = Key("choices", (index, "delta", name))
                yield Piece(key, ("choices", at, "delta", name), text, path)
    if len(delta) > 1 or "content" not in delta:
        yield from _calls(delta, at, index)


def _calls(delta: Object, at: int, index: int) -> Iterator[Piece]:
    """What a delta has besides its text: tools' arguments, and the words of its sound."""
    start: Path = ("choices", at, "delta")
    for number, call in _listed(delta, "tool_calls"):
        place = _index(call, number)
        for name, leaf in _TOOLS:
            if text := _str(_inner(call, name), leaf):
                key = Key("choices", (index, "delta", f"tool_calls[{place}]", name, leaf))
                yield Piece(key, (*start, "tool_calls", number, name, leaf), text)
    for name, leaf in (("function_call", "arguments"), ("audio", "transcript")):
        if name in delta and (text := _str(_inner(delta, name), leaf)):
            yield Piece(Key("choices", (index, "delta", name, leaf)), (*start, name, leaf), text)


def _typed(value: Object, kind: str) -> Told:
    """An event of responses or of transcriptions; `X.delta` goes on with what `X.done` ends."""
    if kind in MEDIA:
        return Told(media=True)
    if kind in _BROKEN:
        return Told(broken=True)
    if kind in _LAST:
        return EVERYTHING
    if kind.endswith(".delta"):
        pieces = tuple(_delta(value, kind[:-6]))
        odd = bool(value.get("logprobs")) and not any(piece.odds for piece in pieces)
        return Told(pieces, odd=odd, more=not value.keys() <= _TYPED)
    if not kind.endswith(".done"):
        return NOTHING
    name = kind[:-5]
    return Told(ends=(End(_OUTER.get(name, name), _item(value)),))


def _delta(value: Object, kind: str) -> Iterator[Piece]:
    delta = value.get("delta")
    if isinstance(delta, str):
        odds = value.get("logprobs")
        if delta or odds:
            path: Path | None = ("logprobs",) if odds and isinstance(odds, list) else None
            yield Piece(Key(kind, _item(value)), ("delta",), delta, path)
    elif isinstance(delta, dict):  # of a shell: what it says, and its errors
        for name in delta:
            if text := _str(delta, name):
                yield Piece(Key(kind, (*_item(value), name)), ("delta", name), text)


def _item(value: Object) -> tuple[int | str | None, ...]:
    named = (value.get(name) for name in ITEM)
    return tuple(field if isinstance(field, int | str) else None for field in named)


def _thread(value: Object, made: str) -> Told:
    name = _str(value, "id")
    if made == "thread.message.delta":
        return Told(tuple(_message(value, name)), more=True)
    if made == "thread.run.step.delta":
        return Told(tuple(_step(value, name)), more=True)
    if made in ("thread.message", "thread.run.step"):
        return Told(ends=(End(made, (name,)),))
    if made != "thread.run" or value.get("status") in ("queued", "in_progress"):
        return NOTHING
    return Told(broken=True) if value.get("status") in _BROKEN_RUN else EVERYTHING


def _message(value: Object, name: str) -> Iterator[Piece]:
    for at, part in _listed(_inner(value, "delta"), "content"):
        for path, text in (
            (("text", "value"), _str(_inner(part, "text"), "value")),
            (("refusal",), _str(part, "refusal")),
        ):
            if text:
                key = Key("thread.message", (name, _index(part, at), path[0]))
                yield Piece(key, ("delta", "content", at, *path), text)


def _step(value: Object, name: str) -> Iterator[Piece]:
    details = _inner(_inner(value, "delta"), "step_details")
    for at, call in _listed(details, "tool_calls"):
        for holder, leaf in _STEPS:
            if text := _str(_inner(call, holder), leaf):
                key = Key("thread.run.step", (name, _index(call, at), leaf))
                path: Path = ("delta", "step_details", "tool_calls", at, holder, leaf)
                yield Piece(key, path, text)


def _index(holder: Object, otherwise: int) -> int:
    value = holder.get("index")
    return value if isinstance(value, int) else otherwise


def _inner(holder: Object, name: str) -> Object:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _str(holder: Object, name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _listed(holder: Object, name: str) -> Iterator[tuple[int, Object]]:
    value = holder.get(name)
    for at, item in enumerate(value) if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield at, item
