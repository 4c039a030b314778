"""Draws values from short forms such as `gsk_{a:52}`, so that no file holds what looks like a key.

A form is plain text with fields: `{a:36}` is 36 characters of alphabet `a`, `{w:20-40}` between 20
and 40 of `w`, `{uuid}` a UUID, `{crc}` the six digits of base 62 in which GitHub and npm write the
CRC32 of the 30 characters before, `{one:us,eu}` one of the words.
"""

import re
import string
import uuid
import zlib
from random import Random
from typing import Final

BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
ALPHABETS: Final = {
    "a": BASE62,
    "w": BASE62 + "-_",
    "b": BASE62 + "+/",
    "x": "0123456789abcdef",
    "X": "0123456789ABCDEF",
    "d": string.digits,
    "n": "123456789",
    "c": string.ascii_letters,
    "U": string.ascii_uppercase + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "v": string.ascii_lowercase,
    "2": string.ascii_uppercase + "234567",
    "Q": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",  # bech32 (BIP 173)
}
FIELD: Final = re.compile(r"\{(?:(uuid|crc)|one:([^}]*)|(\w):(\d+)(?:-(\d+))?)\}")
CRC_OVER: Final = 30
CRC_DIGITS: Final = 6
MIXED_FROM: Final = 16


def fill(form: str, chance: Random) -> str:
    """The form with its fields drawn."""
    made = ""
    at = 0
    for field in FIELD.finditer(form):
        made += form[at : field.start()]
        made += drawn(field, made, chance)
        at = field.end()
    return made + form[at:]


def drawn(field: re.Match[str], before: str, chance: Random) -> str:
    """One field's text; `before` is what a checksum is taken of."""
    special, words, alphabet, least, most = field.groups()
    if words is not None:
        return chance.choice(words.split(","))
    if special == "uuid":
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))
    if special == "crc":
        return checksum(before[-CRC_OVER:])
    return run(alphabet, chance.randint(int(least), int(most or least)), chance)


def run(alphabet: str, length: int, chance: Random) -> str:
    """Random characters. Long ones hold a digit and a letter where the alphabet has both."""
    letters = ALPHABETS[alphabet]
    while True:
        made = "".join(chance.choices(letters, k=length))
        if length < MIXED_FROM or is_mixed(made) or not is_mixed(letters):
            return made


def is_mixed(text: str) -> bool:
    return any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def checksum(text: str) -> str:
    """The CRC32 in base 62, as the tokens of GitHub and npm end with it."""
    left, made = zlib.crc32(text.encode()), ""
    while left:
        left, digit = divmod(left, len(BASE62))
        made = BASE62[digit] + made
    return made.rjust(CRC_DIGITS, "0")


def seeded(*parts: object) -> Random:
    """Chance that is the same for the same parts, in every process and on every machine."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - the same corpus again, no secret
