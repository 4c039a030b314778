"""What one call consumed, as OpenAI counts it, and the split in which each token is counted once.
It is the common word of those who read answers, who price them and who write the books."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

type Source = Literal["reported", "estimated", "reserved", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Cached and cache-write tokens lie inside input, reasoning inside output, audio and image
    inside both. ValueError for a negative count, and for an amount that is no sane number."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_12h_tokens: int = 0  # part of cache_write_tokens
    output_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_input_tokens: int = 0
    image_output_tokens: int = 0
    cached_audio_tokens: int | None = None  # the three parts of cached_input_tokens; None: not told
    cached_image_tokens: int | None = None
    cached_text_tokens: int | None = None
    total_tokens: int = 0
    # What is billed but is no token: second, character, image, web_search, file_search,
    # container:SIZE, video_second:SIZE
    units: Mapping[str, Decimal | int] = field(default_factory=dict)
    source: Source = "none"
    model: str | None = None  # as the answer named it, as its tier
    service_tier: str | None = None
    parts: tuple["Usage", ...] = ()  # second bills, each with a model of its own

    def __post_init__(self) -> None:
        smallest = min(
            self.input_tokens,
            self.cached_input_tokens,
            self.cache_write_tokens,
            self.cache_write_12h_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.audio_input_tokens,
            self.audio_output_tokens,
            self.image_input_tokens,
            self.image_output_tokens,
            self.cached_audio_tokens or 0,
            self.cached_image_tokens or 0,
            self.cached_text_tokens or 0,
            self.total_tokens,
        )
        if smallest < 0 or not all(_sane(amount) for amount in self.units.values()):
            raise ValueError("a count of tokens or units is negative or absurd")


def split(usage: Usage) -> dict[str, int]:
    """The kinds that can have a price of their own, without `parts`: each token in one of them.

    Their sum is input_tokens + output_tokens, whatever the details claim. Cached tokens of which
    no part is told are text as far as there is text, then audio, then image.
    """
    left, cached = _take(usage.input_tokens, usage.cached_input_tokens)
    left, written = _take(left, usage.cache_write_tokens)
    short, long = _take(written, usage.cache_write_12h_tokens)
    text, audio, image = _cached_parts(usage, cached, left)
    left, heard = _take(left, usage.audio_input_tokens - audio)
    left, seen = _take(left, usage.image_input_tokens - image)
    answer, reasoning = _take(usage.output_tokens, usage.reasoning_tokens)
    answer, spoken = _take(answer, usage.audio_output_tokens)
    answer, drawn = _take(answer, usage.image_output_tokens)
    return {
        "input": left,
        "cached_input": text,
        "cached_audio_input": audio,
        "cached_image_input": image,
        "cache_write": short,
        "cache_write_12h": long,
        "audio_input": heard,
        "image_input": seen,
        "output": answer,
        "reasoning": reasoning,
        "audio_output": spoken,
        "image_output": drawn,
    }


def disjoint(usage: Usage) -> Mapping[str, int]:
    """The nine kinds of the metrics: `split` with all that is cached, or written, as one kind."""
    kinds = split(usage)
    kinds["cached_input"] += kinds.pop("cached_audio_input") + kinds.pop("cached_image_input")
    kinds["cache_write"] += kinds.pop("cache_write_12h")
    return kinds


def _sane(amount: Decimal | int) -> bool:
    """Whether it can be multiplied exactly: 1E+999999 would be a number of a million digits."""
    if isinstance(amount, int):
        return amount >= 0
    return amount.is_finite() and 0 <= amount <= 10**12 and amount.adjusted() >= -40


def _cached_parts(usage: Usage, cached: int, uncached: int) -> tuple[int, int, int]:
    """(text, audio, image) of the cached tokens."""
    if not (cached and (usage.audio_input_tokens or usage.image_input_tokens)):
        return cached, 0, 0
    audio, image = usage.cached_audio_tokens, usage.cached_image_tokens
    if audio is None and image is None:
        text = usage.cached_text_tokens
        if text is None:
            text = cached + uncached - usage.audio_input_tokens - usage.image_input_tokens
        spilt, _ = _take(cached, text)
        audio, image = spilt, spilt - min(spilt, usage.audio_input_tokens)
    left, audio = _take(cached, min(audio or 0, usage.audio_input_tokens))
    left, image = _take(left, min(image or 0, usage.image_input_tokens))
    return left, audio, image


def _take(available: int, wanted: int) -> tuple[int, int]:
    """(What is left, what was taken): never more than there is, never below 0."""
    taken = max(0, min(available, wanted))
    return available - taken, taken
