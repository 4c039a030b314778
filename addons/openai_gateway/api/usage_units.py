"""What an answer bills that is no token of its own model: seconds, characters, videos, training,
searches and containers of tools, and the tokens that a tool spends at another model's price."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from openai_gateway.api import tokens as estimates
from openai_gateway.api.usage_reading import Reader
from openai_gateway.api.usage_tokens import drawn, named, tokens
from openai_gateway.core.usage import Usage

type Object = Mapping[str, object]

# The smallest container is what a tool gets that names none.
SMALLEST: Final = "1g"
# The end of a subtitle, of srt (00:00:04,500) or vtt (00:04.500); the last one is near the end.
_TIME: Final = re.compile(r"--> *(?:(\d{1,3}):)?(\d\d):(\d\d[.,]\d{3})")
_LAST: Final = 4096
SIZES: Final = frozenset({"1g", "4g", "16g", "64g"})


def objects(holder: Object, name: str) -> Iterator[Object]:
    """The objects of a list."""
    value = holder.get(name)
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def seconds(told: Object, read: Reader, name: str = "seconds") -> Usage | None:
    """Sound that is paid by its length."""
    amount = read.amount(told, name)
    return None if amount is None else Usage(units={"second": amount}, source="reported")


def spoken(request: Object) -> Usage | None:
    """Speech without usage: tts-1* is paid by the character, which the request shows; the rest by
    tokens, which can only be estimated."""
    text = request.get("input")
    if not isinstance(text, str):
        return None
    if str(request.get("model")).startswith("tts-1"):
        return Usage(units={"character": len(text)}, source="reported")
    asked, said = estimates.of_request(request), estimates.of_speech(text)
    return Usage(
        input_tokens=asked,
        output_tokens=said,
        audio_output_tokens=said,
        total_tokens=asked + said,
        source="estimated",
    )


def listened(text: object) -> Usage | None:
    """A transcription without usage: what it wrote tells how long it listened, best by the times
    of its subtitles. Only seconds are estimated, also where tokens are paid."""
    if not isinstance(text, str):
        return None
    times = _TIME.findall(text[-_LAST:])
    length = Decimal(estimates.of_listening(len(text)))
    if times:
        hours, minutes, rest = times[-1]
        length = int(hours or 0) * 3600 + int(minutes) * 60 + Decimal(rest.replace(",", "."))
    return Usage(units={"second": length}, source="estimated")


def video(length: Decimal | None, answer: Object, read: Reader) -> Usage | None:
    """A video, by the second of its size."""
    size = read.text(answer, "size")
    if length is None or answer.get("status") == "failed":
        return None
    unit = f"video_second:{size}" if size else "video_second"
    return named(Usage(units={unit: length}, source="reported"), answer, read)


def training(answer: Object, read: Reader) -> Usage | None:
    """A fine-tuning job, by the tokens that it was trained on."""
    count = read.count(answer, "trained_tokens")
    if count is None:
        return None
    return named(Usage(units={"trained_token": count}, source="reported"), answer, read)


def with_tools(
    usage: Usage, answer: Object, found: tuple[tuple[str, str], ...], read: Reader
) -> Usage:
    """The usage and what the tools of a response cost beside it."""
    units = {
        _search(answer): _searches(answer, read),
        "file_search": _made(answer, "file_search"),
        **counted(found),
    }
    kept = {unit: amount for unit, amount in units.items() if amount}
    parts = tuple(part for part in _parts(answer, read) if part.input_tokens + part.output_tokens)
    # how long a container lives is not told: the least that one costs is charged
    source = "estimated" if found else usage.source
    return replace(usage, units={**usage.units, **kept}, parts=parts, source=source)


def _search(answer: Object) -> str:
    """Which search it was: the preview has a price of its own."""
    preview = any("web_search_preview" in str(one.get("type")) for one in objects(answer, "tools"))
    return "web_search_preview" if preview else "web_search"


def _searches(answer: Object, read: Reader) -> int:
    """The billable searches where OpenAI counts them, else the calls that were no page opened."""
    told = read.count(read.inner(read.inner(answer, "tool_usage"), "web_search"), "num_requests")
    if told is not None:
        return told
    calls = (item for item in objects(answer, "output") if item.get("type") == "web_search_call")
    return sum(read.inner(call, "action").get("type", "search") == "search" for call in calls)


def _made(answer: Object, tool: str) -> int:
    return sum(item.get("type") == f"{tool}_call" for item in objects(answer, "output"))


def _parts(answer: Object, read: Reader) -> Iterator[Usage]:
    """The second bills: of the image tool, and of the model that draws its SVG."""
    told = read.inner(read.inner(answer, "tool_usage"), "image_gen")
    if image := drawn(tokens(told, read), told):
        yield replace(image, model=_image_model(answer, read))
    for item in objects(answer, "output"):
        yield from svg(item, read)


def svg(holder: Object, read: Reader) -> Iterable[Usage]:
    """The second bill of a picture that a language model drew."""
    told = read.inner(holder, "svg_usage")
    bill = named(tokens(told, read), told, read)
    return (bill,) if bill else ()


def _image_model(answer: Object, read: Reader) -> str | None:
    for tool in objects(answer, "tools"):
        if tool.get("type") == "image_generation":
            return read.text(tool, "model")
    return None


def containers(answer: Object, request: Object) -> tuple[tuple[str, str], ...]:
    """(id, unit) of each container that the tools of a response ran in."""
    tools = [*objects(answer, "tools"), *objects(request, "tools")]
    unit = f"container:{next((size for tool in tools if (size := _memory(tool))), SMALLEST)}"
    found: dict[str, str] = {}
    for item in objects(answer, "output"):
        place = item.get("environment") if item.get("type") == "shell_call" else item
        name = place.get("container_id") if isinstance(place, dict) else None
        if isinstance(name, str):
            found[name] = unit
    return tuple(found.items())


def _memory(tool: Object) -> str | None:
    """The memory that a tool asks for its container."""
    place = tool.get("container") or tool.get("environment")
    size = place.get("memory_limit") if isinstance(place, dict) else None
    return size if isinstance(size, str) and size in SIZES else None


def container(answer: Object) -> tuple[tuple[str, str], ...]:
    """(id, unit) of a container that was made by itself."""
    name, size = answer.get("id"), answer.get("memory_limit")
    unit = f"container:{size if isinstance(size, str) and size in SIZES else SMALLEST}"
    return ((name, unit),) if isinstance(name, str) else ()


def counted(found: Iterable[tuple[str, str]]) -> dict[str, Decimal | int]:
    """How many containers of each size."""
    units: dict[str, Decimal | int] = {}
    for _, unit in found:
        units[unit] = units.get(unit, 0) + 1
    return units
