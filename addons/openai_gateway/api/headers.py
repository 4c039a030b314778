"""The headers that decide something: OpenAI's, those that never go upstream, and the SDK's own.

Sources: openai wheel 3.54.0 and npm openai 7.57.0 (`x-stainless-*`, User-Agent, scope headers),
RFC 9110 §7.6.1 and §11.7 (what ends at a proxy).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from openai_gateway.core.call import Header

AUTHORIZATION: Final = b"authorization"
SUBPROTOCOL: Final = b"sec-websocket-protocol"
ORGANIZATION: Final = b"openai-organization"
PROJECT: Final = b"openai-project"

# Meant for the proxy itself, or a credential that OpenAI does not read (api-key is Azure's).
# Cookies stay: OpenAI's own edge sets some. Connection and Upgrade stay: a WebSocket needs them.
NEVER_SENT: Final = (
    b"proxy-authorization",
    b"proxy-connection",
    b"keep-alive",
    b"api-key",
    b"x-api-key",
)
# Some servers take method or path from these: what was judged must be what is asked for.
OVERRIDES: Final = (
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"x-original-url",
    b"x-rewrite-url",
)

_LANGUAGE: Final = b"x-stainless-lang"
_VERSION: Final = b"x-stainless-package-version"
_RETRY: Final = b"x-stainless-retry-count"
_AGENT: Final = b"user-agent"
_TOKEN: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_PRODUCT: Final = re.compile(rb"([A-Za-z0-9._-]{1,32})/([A-Za-z0-9._-]{1,32})(?![^ ])")
_LIMIT: Final = re.compile(r"[0-9]{1,12}")
_COUNT: Final = re.compile(rb"[0-9]{1,3}")


def sdk_of(headers: Iterable[Header]) -> str | None:
    """The client's library for the row: `python 3.54.0 retry 0`, else its agent: `curl 8.5.0`.

    Only short plain words of the client are kept; whatever else it says is left out.
    """
    said = {name.lower(): value for name, value in headers}
    language = _word(_TOKEN, said.get(_LANGUAGE))
    if not language:
        product = _PRODUCT.match(said.get(_AGENT, b""))
        return f"{product[1].decode()} {product[2].decode()}" if product else None
    version, retry = _word(_TOKEN, said.get(_VERSION)), _word(_COUNT, said.get(_RETRY))
    words = (language, version, f"retry {retry}" if retry else "")
    return " ".join(word for word in words if word)


def _word(pattern: re.Pattern[bytes], value: bytes | None) -> str:
    return value.decode() if value and pattern.fullmatch(value) else ""


_FAMILIES: Final = {"rpm": "requests", "tpm": "tokens"}


def upstream_limits(headers: Mapping[str, str]) -> dict[str, int] | None:
    """OpenAI's own limits, as an answer tells them: requests and tokens a minute."""
    return _told(headers, "limit")


def upstream_remaining(headers: Mapping[str, str]) -> dict[str, int] | None:
    """What is left of them."""
    return _told(headers, "remaining")


def _told(headers: Mapping[str, str], what: str) -> dict[str, int] | None:
    told = {
        limit: headers.get(f"x-ratelimit-{what}-{family}", "")
        for limit, family in _FAMILIES.items()
    }
    found = {limit: int(text) for limit, text in told.items() if _LIMIT.fullmatch(text)}
    return found or None
