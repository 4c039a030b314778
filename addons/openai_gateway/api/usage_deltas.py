"""What an event of a stream adds to its answer, in bytes of text and of sound: the ground of the
estimate where a stream breaks before it tells its usage. Obfuscation is never counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from openai_gateway.api.tokens import size
from openai_gateway.api.usage_reading import LONGEST_NAME

type Object = Mapping[str, object]
_TEXTS: Final = ("content", "refusal", "reasoning_content", "reasoning")


@dataclass(slots=True)
class Made:
    """What was seen of an answer so far."""

    text_bytes: int = 0
    sound_characters: int = 0  # of base64
    pictures: int = 0
    partial_pictures: int = 0

    def text(self, value: object) -> None:
        """Adds a text; what is none is passed over."""
        if isinstance(value, str):
            self.text_bytes += size(value)

    def sound(self, value: object) -> None:
        """Adds a piece of sound in base64."""
        if isinstance(value, str):
            self.sound_characters += len(value)

    @property
    def anything(self) -> bool:
        """Whether the model had begun to answer."""
        return bool(
            self.text_bytes or self.sound_characters or self.pictures or self.partial_pictures
        )


def inner(holder: Object, name: str) -> Object:
    """A member that is an object; an empty one where it is none."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def listed(holder: Object, name: str) -> Iterator[Object]:
    """The objects of a list."""
    value = holder.get(name)
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def chunk(value: Object, made: Made) -> None:
    """A chunk of chat or of the old completions."""
    for choice in listed(value, "choices"):
        made.text(choice.get("text"))
        delta = choice.get("delta")
        if isinstance(delta, dict):
            _delta(delta, made)


def _delta(delta: Object, made: Made) -> None:
    for name in _TEXTS:
        if name in delta:
            made.text(delta[name])
    for call in listed(delta, "tool_calls") if "tool_calls" in delta else ():
        function = inner(call, "function") or inner(call, "custom")
        for name in ("name", "arguments", "input"):
            made.text(function.get(name))
    for name in ("name", "arguments") if "function_call" in delta else ():
        made.text(inner(delta, "function_call").get(name))
    if "audio" in delta:
        made.text(inner(delta, "audio").get("transcript"))
        made.sound(inner(delta, "audio").get("data"))


def typed(value: Object, kind: str, made: Made) -> None:
    """An event with a `type`: of responses, realtime, speech, transcription."""
    if not kind.endswith(".delta"):
        return
    if kind in ("response.audio.delta", "response.output_audio.delta", "speech.audio.delta"):
        made.sound(value.get("delta") or value.get("audio"))
    else:
        made.text(value.get("delta"))


def message(value: Object, made: Made) -> None:
    """A piece of a message of a thread."""
    for part in listed(inner(value, "delta"), "content"):
        made.text(inner(part, "text").get("value"))


def name_of(holder: Object, name: str) -> str | None:
    """A member that is a name: of a model, a session, a lane."""
    value = holder.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None
