"""The row of a finished call: what is kept of it, and what never is.

Client text (path, model, method, sdk) is scrubbed of keys, made printable and cut to a size, so
that no row holds a key, plays tricks on a terminal, or grows above 1 kB.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import quote

import orjson

from openai_gateway.accounting.meter import billed_units
from openai_gateway.accounting.schema import TOKENS
from openai_gateway.core.call import Call
from openai_gateway.core.scrub import scrub
from openai_gateway.core.usage import Usage

type Row = dict[str, object]
type Which = Literal["all", "errors"]

WITHHELD: Final = "(withheld)"
_PATH_MAX: Final = 256
_TEXT_MAX: Final = 64
_TRACE_MAX: Final = 736
_FEATURES_MAX: Final = 360
_LEAKS_MAX: Final = 160
_REPEATED_MAX: Final = 128
_LOOKED_AT: Final = 2048  # nobody's megabyte of a model name keeps the loop busy
_ROW_MAX: Final = 900  # of text; numbers and SQLite's own bytes come on top, in all under 1 kB
_FINE: Final = frozenset({"forwarded", "replayed"})
_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))


def row(call: Call) -> Row:
    """The columns known of this call; those left out stay NULL."""
    made: Row = {
        "id": call.id,
        "started_at": datetime.fromtimestamp(call.started_at, UTC),
        "environment": call.environment,
        "key": _own(call.key),
        "client": _own(call.client),
        "endpoint": _own(call.endpoint),
        "method": _foreign(call.request.method, 16),
        "path": _path(call),
        "model_requested": _foreign_or_none(call.model_requested),
        "model_sent": _foreign_or_none(call.model_sent) if call.admitted else None,
        "stream": call.stream,
        "status": call.status,
        "outcome": call.outcome,
        "error_code": _foreign_or_none(call.error_code or call.upstream_error),
        "model_response": _foreign_or_none(call.model_response),
        "service_tier": _foreign_or_none(call.service_tier),
        "usage_source": call.usage_source,
        "cost_nano_usd": call.cost_nano_usd,
        "duration_ms": round(call.duration_ms, 3),
        "upstream_ms": _rounded(call.upstream_ms),
        "ttft_ms": _rounded(call.ttft_ms),
        "overhead_ms": round(call.overhead_ms, 3),
        "injected_ms": round(call.injected_ms, 3),
        "request_bytes": call.request_bytes,
        "response_bytes": call.response_bytes,
        "leaks": _own(",".join(call.leaks), _LEAKS_MAX) or None,
        "fault": call.fault,
        "features": _features(call.features),
        "upstream_limits": _json(call.upstream_limits),
        "openai_request_id": _foreign_or_none(call.openai_request_id),
        "sdk": _foreign_or_none(call.sdk),
        "trace": _trace(call.trace, _TRACE_MAX),
    }
    made |= _consumed(call.usage) if call.usage is not None else NOTHING
    return made if _size(made) <= _ROW_MAX else _smaller(made, call)


# Every row names the same columns: a batch is written by the names of its first row.
NOTHING: Final[Row] = dict.fromkeys((*TOKENS, "billed_units"))


def _consumed(usage: Usage) -> Row:
    """Tokens as OpenAI counts them: cached inside input, reasoning inside output."""
    units = billed_units(usage)
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "audio_input_tokens": usage.audio_input_tokens,
        "audio_output_tokens": usage.audio_output_tokens,
        "image_input_tokens": usage.image_input_tokens,
        "image_output_tokens": usage.image_output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "billed_units": orjson.dumps(units).decode() if units else None,
    }


def wanted(made: Row, which: Which) -> bool:
    """Whether `log.calls` keeps this row: an error is whatever did not end well for the client."""
    if which == "all":
        return True
    status = made["status"]
    ended_well = isinstance(status, int) and 0 < status < 400
    return not ended_well or made["error_code"] is not None or made["outcome"] not in _FINE


def _path(call: Call) -> str:
    """A path that no table of endpoints vouches for may hold anything; one with a key holds it."""
    if call.endpoint == "unknown":
        return WITHHELD
    in_url = any(leak.location == "url" for leak in call.found)
    if in_url or call.error_code == "gateway_production_key_leaked":
        return f"{WITHHELD} {call.endpoint}"
    return _foreign(call.path, _PATH_MAX)


def _foreign(text: str, most: int = _TEXT_MAX) -> str:
    """Text that somebody else chose: without keys, ASCII that prints, cut to a size.

    Scrubbed before it is cut, as half a key would no longer be known as one.
    """
    if len(text) <= _REPEATED_MAX:
        return _seen(text, most)
    return _own(scrub(text[:_LOOKED_AT]), most)


@lru_cache(maxsize=1024)
def _seen(text: str, most: int) -> str:
    """Models, methods, SDKs and most paths come again and again; scrubbing them takes 1 us each."""
    return _own(scrub(text), most)


def _foreign_or_none(text: str | None) -> str | None:
    return None if text is None else _foreign(text)


def _own(text: str, most: int = _TEXT_MAX) -> str:
    if not (text.isascii() and text.isprintable()):
        text = quote(text[:most], safe=_PRINTABLE, errors="replace")
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _json(value: dict[str, int] | None) -> str | None:
    return orjson.dumps(value).decode() if value else None


def _features(found: dict[str, object] | None) -> str | None:
    """Cut by leaving out the names of the fields where there are too many: a row stays small."""
    if found is None:
        return None
    told = orjson.dumps(found).decode()
    if len(told) <= _FEATURES_MAX:
        return told
    return orjson.dumps({name: told for name, told in found.items() if name != "fields"}).decode()


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _trace(entries: list[tuple[str, str, int]], most: int) -> str:
    """The stages in order; where they are too many the last are kept, which hold the refusal."""
    shown = [
        {"stage": _own(stage, 32), "verdict": _own(verdict), "us": us}
        for stage, verdict, us in entries
    ]
    encoded = orjson.dumps(shown)
    while len(encoded) > most and shown:
        del shown[0]
        encoded = orjson.dumps(shown)
    return encoded.decode()


def _size(made: Row) -> int:
    return sum(len(value) for value in made.values() if isinstance(value, str))


def _smaller(made: Row, call: Call) -> Row:
    """What is long on purpose gives way: first the path, then the beginning of the trace."""
    too_long = _size(made) - _ROW_MAX
    path = str(made["path"])
    made["path"] = _own(path, max(_TEXT_MAX, len(path) - too_long))
    still = max(0, _size(made) - _ROW_MAX)
    made["trace"] = _trace(call.trace, len(str(made["trace"])) - still)
    return made
