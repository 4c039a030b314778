"""Whether the inside of a found block is what its frame says: keys in PEM, Kubernetes' secrets."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import re2

from openai_gateway.leaks.checks import named
from openai_gateway.leaks.checks.checked import Checked, Validator, kept
from openai_gateway.leaks.checks.doubts import entropy, is_placeholder

LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
NOT_LETTERS: Final = bytes(one for one in range(256) if one not in LETTERS)
SHORTEST_BODY: Final = 64
# Ed25519 in PKCS8 is 64 characters; anything above is read only so far.
MOST_BODY: Final = 16 * 1024
# A line of a body; prose has no such words.
A_LINE: Final = 32
FRAME: Final = b"-----"
ENTRY: Final = re2.compile(
    rb"""["']?[A-Za-z0-9._-]{1,100}["']?:[ \t]{0,8}["']?([A-Za-z0-9+/]{4,}={0,2})["']?"""
)
MOST_ENTRIES: Final = 40


def pem(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """A private key's body: base64 of which some is there, and that is not one letter drawn out."""
    body = secret.split(FRAME, 2)[-1].split(FRAME, 1)[0][:MOST_BODY]
    for escape in (b"\\n", b"\\r", b"\\t"):
        body = body.replace(escape, b"\n")
    words = body.translate(bytes(10 if one in NOT_LETTERS else one for one in range(256))).split()
    lines = [word for word in words if len(word) >= A_LINE]
    letters = b"".join(lines).replace(b"=", b"")
    if len(letters) < A_LINE or sum(map(len, words)) < SHORTEST_BODY:
        return "drop"
    try:
        base64.b64decode(letters[: len(letters) // 4 * 4])
    except binascii.Error:
        return "drop"
    return kept(len(set(letters)) >= 20 and entropy(letters) >= 4.0)


def kubernetes(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Some value of a Secret's data decodes to what may be a password."""
    at = 0
    for _ in range(MOST_ENTRIES):
        found = ENTRY.search(secret, at)
        if found is None:
            return "drop"
        at = found.end()
        if holds_secret(found.group(1)):
            return "keep"
    return "drop"


def holds_secret(value: bytes) -> bool:
    try:
        inside = base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    if len(inside) >= 256:
        return entropy(inside) > 3.5
    return len(inside) >= 8 and not is_placeholder(inside) and named.is_unlike_word(inside)


def kubeconfig(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """`client-key-data` is base64 of a private key in PEM."""
    try:
        inside = base64.b64decode(secret[: len(secret) // 4 * 4])
    except binascii.Error:
        return "drop"
    return kept(b"PRIVATE KEY" in inside or entropy(secret) > 4.5)


VALIDATORS: Final[Mapping[str, Validator]] = {
    "kubeconfig": kubeconfig,
    "kubernetes": kubernetes,
    "pem": pem,
}
