"""Checks a found text beyond its pattern: checksums and what must decode. A text that fails is no
secret and is dropped; one that no longer opens anything is lowered to a report.

Validators get the secret, the text around it and where it stands; they are linear and never raise.
"""

import base64
import binascii
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from openai_gateway.leaks.checks import formats, identities, named
from openai_gateway.leaks.checks.checked import Checked, Validator, kept

BASE62: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CRC_DIGITS: Final = 6
CRC_OVER: Final = 30
# A token's header or payload, decoded.
MOST_JSON: Final = 16 * 1024
# How far around a key is looked for what says that it is public, or what it belongs to.
NEAR: Final = 400


def base62(number: int) -> bytes:
    """The six digits in which GitHub and npm write a CRC32."""
    digits = bytearray()
    for _ in range(CRC_DIGITS):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return bytes(reversed(digits))


def github_crc32(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """The last six are the CRC32 of the thirty before (github.blog, 2021-04-05)."""
    over, digits = secret[-CRC_OVER - CRC_DIGITS : -CRC_DIGITS], secret[-CRC_DIGITS:]
    return kept(len(over) == CRC_OVER and base62(zlib.crc32(over)) == digits)


def jwt(
    secret: bytes,
    text: bytes,  # noqa: ARG001
    start: int,  # noqa: ARG001
    end: int,  # noqa: ARG001
    now: Callable[[], float] = time.time,
) -> Checked:
    """RFC 7519: a header with `alg`, claims, a signature. Expired, or anon at Supabase: public."""
    parts = secret[max(0, secret.find(b"ey")) :].split(b".")
    if len(parts) != 3 or len(parts[2]) < 16:
        return "drop"
    header, claims = as_json(parts[0]), as_json(parts[1])
    if header is None or claims is None:
        return "drop"
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        return "drop"
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires < now():
        return "lower"
    return "lower" if claims.get("role") == "anon" else "keep"


def macaroon(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """PyPI's: version 2, then the field of the location (libmacaroons, binary format v2)."""
    raw = unbase64(secret.removeprefix(b"pypi-"))
    return kept(raw is not None and raw[:2] == b"\x02\x01")


def bedrock(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Behind its mark, Amazon Bedrock's long-term key is base64 of a name that says what it is."""
    raw = unbase64(secret[4:])
    return kept(raw is not None and raw.startswith(b"BedrockAPIKey-"))


def aws_id(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """An id that signs a URL or a request is meant to be seen; its secret is not in there."""
    before = text[max(0, start - 40) : start].lower()
    signs = (b"credential=", b"credential%3d", b"credential%253d", b"awsaccesskeyid=")
    if before.endswith(signs) or secret.endswith(b"EXAMPLE"):
        return "drop"
    return kept(len(set(secret[4:])) > 6)


def google_key(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Keys of web pages (Firebase, Maps) are public by design; the same form opens Gemini."""
    around = text[max(0, start - NEAR) : end + NEAR].lower()
    web = (b"authdomain", b"messagingsenderid", b"firebase", b"maps.googleapis.com")
    return "lower" if any(word in around for word in web) else "keep"


def azure_sas(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """A signature counts where a version and an end stand beside it."""
    around = text[max(0, start - NEAR) : end + NEAR]
    return kept(b"se=" in around and (b"sv=20" in around or b"sr=" in around))


def discord(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """A bot's token begins with the base64 of its number."""
    raw = unbase64(secret.split(b".")[0])
    return kept(raw is not None and raw.isdigit() and 15 <= len(raw) <= 20)


def docker_auth(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """Base64 of `user:password`, as registries and HTTP's Basic have it."""
    raw = unbase64(secret)
    if raw is None or not is_text(raw):
        return "drop"
    user, colon, password = raw.partition(b":")
    if not (user and colon and b" " not in user):
        return "drop"
    return named.url_password(password, text, start, end)


def near_kty(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """`d` is the private part of a JSON Web Key (RFC 7518) only where its type stands beside it."""
    around = text[max(0, start - 8 * NEAR) : end + 8 * NEAR]
    return kept(b"kty" in around)


def unbase64(text: bytes) -> bytes | None:
    """Either alphabet, padded or not; None where it is none."""
    bare = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return None


def as_json(part: bytes) -> dict[str, object] | None:
    """A part of a token, which is an object in base64url."""
    raw = unbase64(part[: MOST_JSON * 4 // 3])
    try:
        value = orjson.loads(raw or b"")
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def is_text(raw: bytes) -> bool:
    return raw.isascii() and raw.decode("ascii").isprintable()


VALIDATORS: Final[Mapping[str, Validator]] = {
    "aws_id": aws_id,
    "azure_sas": azure_sas,
    "bearer": named.bearer,
    "bedrock": bedrock,
    "command": named.command,
    "discord": discord,
    "docker_auth": docker_auth,
    "drawn": named.drawn,
    "github_crc32": github_crc32,
    "google_key": google_key,
    "jwt": jwt,
    "macaroon": macaroon,
    "near_kty": near_kty,
    "named_password": named.password,
    "named_value": named.value,
    "url_password": named.url_password,
    "vendors": named.vendors,
    **formats.VALIDATORS,
    **identities.VALIDATORS,
}
