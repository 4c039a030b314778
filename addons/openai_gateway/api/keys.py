"""Which kinds of key OpenAI has, and where a request carries one.

Sources: openai wheel 3.54.0 and npm openai 7.57.0 (`ek_`, `whsec_`, the subprotocol's tokens), and
OpenAI's own 401 texts (Bearer, Basic). Lengths are not documented: kinds go by prefix alone.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from openai_gateway.api.headers import AUTHORIZATION, SUBPROTOCOL
from openai_gateway.core.call import Header
from openai_gateway.core.secret import Secret

KEY_TOKEN: Final = b"openai-insecure-api-key."
ORGANIZATION_TOKEN: Final = b"openai-organization."
PROJECT_TOKEN: Final = b"openai-project."


class KeyKind(StrEnum):
    """What a key is for, as its prefix tells."""

    PROJECT = "project"
    SERVICE = "service account"
    ADMIN = "admin"
    LEGACY = "user"
    SESSION = "session"
    EPHEMERAL = "ephemeral"
    WEBHOOK = "webhook secret"
    OTHER = "unknown kind"


_BY_PREFIX: Final = (
    ("sk-proj-", KeyKind.PROJECT),
    ("sk-svcacct-", KeyKind.SERVICE),
    ("sk-admin-", KeyKind.ADMIN),
    ("sk-", KeyKind.LEGACY),
    ("sess-", KeyKind.SESSION),
    ("ek_", KeyKind.EPHEMERAL),
    ("whsec_", KeyKind.WEBHOOK),
)


def kind_of(key: Secret) -> KeyKind:
    """The kind of this key; a bearer token without a known prefix is OTHER."""
    value = key.reveal()
    return next((kind for prefix, kind in _BY_PREFIX if value.startswith(prefix)), KeyKind.OTHER)


class Place(StrEnum):
    """Where a credential stood, in the words of a message."""

    HEADER = "the Authorization header"
    SUBPROTOCOL = "the WebSocket subprotocol"


class Unreadable(StrEnum):
    """Why a credential's place holds no one key."""

    EMPTY = "empty"
    SEVERAL = "several"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Offer:
    """One credential of a request: its key, or why it could not be read."""

    place: Place
    key: Secret | Unreadable = field(repr=False)


_LINEAR_SPACE: Final = b" \t"
_VISIBLE: Final = re.compile(rb"[\x21-\x7e]+")


def offers(headers: Iterable[Header]) -> list[Offer]:
    """Every credential of these headers, in order; each place that could hold one counts."""
    found: list[Offer] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered == AUTHORIZATION:
            found.append(Offer(Place.HEADER, _authorized(value)))
        elif lowered == SUBPROTOCOL:
            found += [
                Offer(Place.SUBPROTOCOL, _key(token[len(KEY_TOKEN) :]))
                for token in tokens(value)
                if is_key_token(token)
            ]
    return found


def tokens(value: bytes) -> list[bytes]:
    """The subprotocols that a Sec-WebSocket-Protocol header offers, in order."""
    return [token.strip(_LINEAR_SPACE) for token in value.split(b",")]


def is_key_token(token: bytes) -> bool:
    """Whether this subprotocol is the one that browsers carry their key in."""
    return token[: len(KEY_TOKEN)].lower() == KEY_TOKEN


def _authorized(value: bytes) -> Secret | Unreadable:
    """The key of an Authorization header. A comma makes it a list: no key holds one."""
    value = value.strip(_LINEAR_SPACE)
    if b"," in value:
        return Unreadable.SEVERAL
    scheme, _, rest = value.partition(b" ")
    match scheme.lower():
        case b"":
            return Unreadable.EMPTY
        case b"bearer":
            return _key(rest.strip(_LINEAR_SPACE))
        case b"basic":
            return _basic(rest.strip(_LINEAR_SPACE))
        case _:
            return Unreadable.MALFORMED


def _basic(coded: bytes) -> Secret | Unreadable:
    """Basic with the key as the password of no user, or as a user without a password."""
    if not coded:
        return Unreadable.EMPTY
    try:
        decoded = base64.b64decode(coded + b"=" * (-len(coded) % 4), validate=True)
    except binascii.Error:
        return Unreadable.MALFORMED
    user, colon, password = decoded.partition(b":")
    if user and password:
        return Unreadable.SEVERAL
    return _key(user or password) if colon else Unreadable.MALFORMED


def _key(raw: bytes) -> Secret | Unreadable:
    if not raw:
        return Unreadable.EMPTY
    return Secret(raw.decode("ascii")) if _VISIBLE.fullmatch(raw) else Unreadable.MALFORMED
