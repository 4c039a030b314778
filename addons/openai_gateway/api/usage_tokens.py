"""The tokens of one `usage` object. OpenAI writes it under several names, none of which means two
things: so one reading serves them all, and each endpoint adds what only it means."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from openai_gateway.api.usage_reading import Reader
from openai_gateway.core.usage import Usage

_IN: Final = ("prompt_tokens", "input_tokens")
_OUT: Final = ("completion_tokens", "output_tokens")
# Transcriptions and realtime say input_token_details, singular.
_INSIDE: Final = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_OUTSIDE: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def tokens(told: Mapping[str, object], read: Reader) -> Usage | None:
    """What the object counts; None where it counts nothing that can be believed."""
    asked, made = read.count(told, *_IN), read.count(told, *_OUT)
    total = read.count(told, "total_tokens")
    if asked is None and made is None:
        if total is None:
            if told:
                read.note("unknown_shape")
            return None
        asked = total
    asked, made = asked or 0, made or 0
    if total is not None and total != asked + made:
        read.note("total_mismatch")
    known = _output(told, made, read, _input(told, asked, read))
    return replace(known, total_tokens=asked + made if total is None else total)


def _input(told: Mapping[str, object], asked: int, read: Reader) -> Usage:
    inside = read.inner(told, *_INSIDE)
    cached = read.part(asked, read.count({**told, **inside}, "cached_tokens"))
    written, long = _written(inside, asked, read)
    parts = read.inner(inside, "cached_tokens_details") or read.inner(told, "cached_tokens_details")
    return Usage(
        input_tokens=asked,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_12h_tokens=long,
        audio_input_tokens=read.part(asked, read.count(inside, "audio_tokens")),
        image_input_tokens=read.part(asked, read.count(inside, "image_tokens")),
        cached_audio_tokens=_cached(parts, "audio_tokens", cached, read),
        cached_image_tokens=_cached(parts, "image_tokens", cached, read),
        cached_text_tokens=_cached(parts, "text_tokens", cached, read),
        source="reported",
    )


def _output(told: Mapping[str, object], made: int, read: Reader, usage: Usage) -> Usage:
    outside = read.inner(told, *_OUTSIDE)
    return replace(
        usage,
        output_tokens=made,
        # svg_usage has them beside output_tokens
        reasoning_tokens=read.part(made, read.count({**told, **outside}, "reasoning_tokens")),
        audio_output_tokens=read.part(made, read.count(outside, "audio_tokens")),
        image_output_tokens=read.part(made, read.count(outside, "image_tokens")),
    )


def _written(inside: Mapping[str, object], asked: int, read: Reader) -> tuple[int, int]:
    """(Tokens written to the cache, those of them that stay for twelve hours)."""
    lives = read.inner(inside, "cache_write_tokens_details")
    short, long = read.count(lives, "ttl_30m_tokens") or 0, read.count(lives, "ttl_12h_tokens") or 0
    told = read.count(inside, "cache_write_tokens")
    written = read.part(asked, short + long if told is None else told)
    return written, read.part(written, long)


def _cached(parts: Mapping[str, object], name: str, whole: int, read: Reader) -> int | None:
    """A part of the cached tokens; the image tool says cached_image_tokens."""
    count = read.count(parts, name, f"cached_{name}")
    return None if count is None else read.part(whole, count)


def named(usage: Usage | None, holder: Mapping[str, object], read: Reader) -> Usage | None:
    """The usage with the model and the tier that the answer names."""
    if usage is None:
        return None
    tier = read.text(holder, "service_tier")
    return replace(usage, model=read.text(holder, "model"), service_tier=tier)


def drawn(usage: Usage | None, told: Mapping[str, object]) -> Usage | None:
    """Usage of pictures: without details all output is picture."""
    if usage is None or isinstance(told.get("output_tokens_details"), dict):
        return usage
    return replace(usage, image_output_tokens=usage.output_tokens)


def said(usage: Usage | None) -> Usage | None:
    """Usage of speech: text goes in, sound comes out."""
    return usage and replace(usage, audio_output_tokens=usage.output_tokens)


def heard(usage: Usage | None, told: Mapping[str, object]) -> Usage | None:
    """Usage of a transcription: without details all input is sound."""
    if usage is None or isinstance(told.get("input_token_details"), dict):
        return usage
    return replace(usage, audio_input_tokens=usage.input_tokens)
