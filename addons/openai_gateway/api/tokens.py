"""How many tokens a request will be charged for, and a broken answer was, where OpenAI tells
nothing: estimates from bytes, good to some 15 % for prose and code, never from a tokenizer's table.

The ratios were measured with tiktoken 0.14, o200k_base. For money take them times 1.3.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

PER_MESSAGE: Final = 4
# OpenAI's own counts differ by model, size and detail; one cap for all.
PER_IMAGE: Final = 1600
PER_FILE_BYTES: Final = 100_000
# One token is 100 ms of what is heard, 50 ms of what is said (OpenAI, guide on realtime costs).
HEARD_PER_SECOND: Final = 10
SAID_PER_SECOND: Final = 20
SOUND_BYTES: Final = {"mp3": 16_000}
PCM_BYTES: Final = 48_000  # 24 kHz, 16 bits, one channel
CHARACTERS_PER_SECOND: Final = 15
# A square picture of 1024 pixels, and each partial picture of a stream (guide on images).
DRAWN: Final = {"low": 272, "medium": 1056, "high": 4160}
PER_PARTIAL: Final = 100
# Base64, hex and digits make a token of 1.4 bytes.
RUN: Final = 65
SAMPLE: Final = 64 * 1024
MOST_ITEMS: Final = 200_000
_IN_RUN: Final = bytes(
    97 if (chr(c).isalnum() and c < 128) or c in b"+/=-_" else 32 for c in range(256)
)
_FEWEST_SIGNS: Final = 8

_READ: Final = ("messages", "input", "instructions", "prompt", "suffix")
_UNREAD: Final = frozenset({"role", "type", "id", "call_id", "tool_call_id", "status", "detail"})
_IMAGES: Final = frozenset({"image_url", "input_image", "computer_screenshot"})
_FILES: Final = frozenset({"file", "input_file"})


def of_bytes(count: int) -> int:
    """The tokens of so many bytes of ordinary text."""
    return -(-count // 4)


def size(text: str) -> int:
    """The bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def of_text(text: str) -> int:
    """The tokens of a text. Of a long one the beginning tells how dense it is."""
    count = size(text)
    if count < RUN:
        return of_bytes(count)
    sample = text[:SAMPLE].encode("utf-8", "replace")
    dense = _dense(sample) * count // len(sample)
    return of_bytes(count - dense) + -(-dense * 5 // 7)


def _dense(data: bytes) -> int:
    """The bytes that lie in long runs of base64, hex or digits; a ruled line is none."""
    classes = data.translate(_IN_RUN)
    dense, at = 0, classes.find(b"a" * RUN)
    while at >= 0:
        end = classes.find(b" ", at)
        end = len(data) if end < 0 else end
        if len(set(data[at : at + RUN])) >= _FEWEST_SIGNS:
            dense += end - at
        at = classes.find(b"a" * RUN, end)
    return dense


def of_request(parsed: object) -> int:
    """The input tokens that a request (its JSON value) will be charged for."""
    if not isinstance(parsed, dict):
        return 0
    read = sum(of_value(parsed.get(name)) for name in _READ)
    return read + sum(of_bytes(_written(shape)) for shape in _schemas(parsed))


def _schemas(parsed: Mapping[str, object]) -> Iterator[object]:
    """What the model reads of tools and of the form of its answer."""
    text = parsed.get("text")
    formats = (
        parsed.get("response_format"),
        text.get("format") if isinstance(text, dict) else None,
    )
    yield from (parsed[name] for name in ("tools", "functions") if parsed.get(name))
    for form in formats:
        if isinstance(form, dict) and form.get("type") == "json_schema":
            yield form


def _written(shape: object) -> int:
    """The bytes of a value as JSON; none where it cannot be written."""
    try:
        return len(orjson.dumps(shape))
    except TypeError:
        return 0


def of_value(value: object) -> int:
    """The tokens of the texts, pictures, sounds and files of a JSON value: of a prompt's messages,
    or of an answer's output."""
    found, left = 0, MOST_ITEMS
    stack = [value]
    while stack and left:
        left -= 1
        item = stack.pop()
        if isinstance(item, str):
            found += PER_IMAGE if item.startswith("data:") else of_text(item)
        elif isinstance(item, int):
            found += 1  # a token of a prompt that is given in tokens
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            found += _of_object(item, stack)
    return found


def _of_object(item: Mapping[str, object], stack: list[object]) -> int:
    """What an object costs by itself; puts on the stack what has to be read."""
    kind = item.get("type")
    kind = kind if isinstance(kind, str) else ""
    if kind in _IMAGES:
        return PER_IMAGE
    if kind == "input_audio":
        return _heard(item.get("input_audio"))
    if kind in _FILES:
        return _filed(item)
    for name, value in item.items():
        if name not in _UNREAD and isinstance(value, str | list | dict):
            stack.append(value)
    return PER_MESSAGE if "role" in item or (kind and "output" in item) else 0


def _heard(sound: object) -> int:
    if not isinstance(sound, dict) or not isinstance(data := sound.get("data"), str):
        return 0
    rate = SOUND_BYTES.get(str(sound.get("format")), PCM_BYTES)
    return -(-len(data) * 3 * HEARD_PER_SECOND // (4 * rate))


def _filed(item: Mapping[str, object]) -> int:
    inner = item.get("file")
    data = (inner if isinstance(inner, dict) else item).get("file_data")
    return PER_IMAGE * max(1, len(data) * 3 // 4 // PER_FILE_BYTES if isinstance(data, str) else 1)


def of_speech(text: str) -> int:
    """The tokens of sound that saying this text makes."""
    return -(-len(text) * SAID_PER_SECOND // CHARACTERS_PER_SECOND)


def of_listening(characters: int) -> int:
    """The seconds of speech that this much text was."""
    return -(-characters // CHARACTERS_PER_SECOND)


def of_sound(base64_characters: int) -> int:
    """The tokens of sound that was told as PCM in base64."""
    return -(-base64_characters * 3 * SAID_PER_SECOND // (4 * PCM_BYTES))


def of_picture(quality: object) -> int:
    """The tokens of one picture of this quality; `auto` is taken for medium."""
    return DRAWN.get(quality, DRAWN["medium"]) if isinstance(quality, str) else DRAWN["medium"]
