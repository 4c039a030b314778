"""What makes a text doubtful as a secret: placeholder words, words instead of noise.

Everything here looks at one short text by itself, and errs on the side of keeping it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

# More than this is not looked at.
MOST: Final = 4096
# In longer ones, short words and runs occur by chance, and zeros make runs in base64.
LONG: Final = 200

WORDS: Final = (
    b"example", b"changeme", b"change-me", b"change_me", b"change-this", b"change_this",
    b"placeholder", b"redacted", b"your-", b"your_", b"yourapi", b"yourkey", b"yourtoken",
    b"yoursecret", b"yourpass", b"-here", b"_here", b"keyhere", b"tokenhere", b"goes-here",
    b"insert-", b"insert_", b"replace-", b"replace_", b"replaceme", b"dummy", b"fake",
    b"not-a-real", b"notareal", b"sample", b"foobar", b"deadbeef", b"cafebabe", b"lorem",
    b"mask", b"hidden",
)  # fmt: skip
# Only where nothing but a name says that it is a secret.
WEAK_WORDS: Final = (
    b"test", b"demo", b"your", b"todo", b"mock", b"stub", b"here", b"none", b"null", b"undefined",
    b"some", b"default", b"password", b"passwd", b"passw0rd", b"p@ssw", b"pa$$", b"secret",
    b"token", b"apikey", b"api-key", b"api_key", b"credential", b"qwerty", b"admin", b"letmein",
    b"welcome", b"hunter2", b"s3cr3t", b"s3cret", b"abc123", b"1234", b"4321", b"asdf", b"xxxx",
    b"0000", b"1111", b"****", b"....", b"----", b"____", b"insert", b"replace", b"change",
    b"encrypted", b"public", b"value", b"string", b"user", b"login", b"required", b"optional",
    b"invalid", b"correct", b"battery", b"staple", b"unused", b"expired", b"generated",
)  # fmt: skip
MARKS: Final = (b"${", b"{{", b"}}", b"<", b">", b"$(", b"%(", b"#{", b"[REDACTED")
CODE: Final = (b"os.environ", b"process.env", b"getenv", b"env.", b"ENV[", b"secrets.", b"vault:")
DRAWN_OUT: Final = (b"xxxxxx", b"000000", b"111111", b"aaaaaa", b"******", b"......")
SEQUENCES: Final = (
    b"abcdefghijklmnopqrstuvwxyz", b"0123456789", b"1234567890", b"9876543210", b"zyxwvutsrq",
    b"0123456789abcdef", b"a1b2c3d4e5f6g7h8", b"1a2b3c4d5e6f7g8h",
)  # fmt: skip
SEQUENCE: Final = 8
PIECES: Final = frozenset(
    whole[at : at + SEQUENCE] for whole in SEQUENCES for at in range(len(whole) - SEQUENCE + 1)
)

_SAID: Final = BytesAhoCorasick([*WORDS, *PIECES, *map(bytes.lower, DRAWN_OUT)])
_WEAK: Final = BytesAhoCorasick([*WORDS, *WEAK_WORDS, *PIECES, *map(bytes.lower, DRAWN_OUT)])
# A part of so many letters and digits, that change so often and differ so much, is drawn.
DRAWN: Final = 24
DIFFERENT: Final = 12
DRAWN_CHANGES: Final = 0.38
APART: Final = bytes(c if chr(c).isalnum() and c < 128 else 32 for c in range(256))

VOWELS: Final = b"aeiouAEIOU"
# By kind: 1 lower, 2 upper, 3 digit; all else is taken out.
KINDS: Final = bytes(
    1 if 97 <= c <= 122 else 2 if 65 <= c <= 90 else 3 if 48 <= c <= 57 else 0 for c in range(256)
)
# English has 38 % of vowels, drawn letters 19; drawn base62 changes its kind at 62 % of its steps.
WORDY_VOWELS: Final = 0.30
WORDY_CHANGES: Final = 0.35
# In one case only, digits alone make changes: a-z0-9 at 40 % of the steps, base32 at 30.
ALIKE_CHANGES: Final = 0.13
HEX: Final = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
HEX_RUN: Final = re.compile(rb"[0-9a-fA-F-]{16,}")


def entropy(text: bytes) -> float:
    """Shannon's, in bits a byte."""
    text = text[:MOST]
    counts = Counter(text).values()
    return -sum(one / len(text) * math.log2(one / len(text)) for one in counts) if text else 0.0


def is_hex(text: bytes) -> bool:
    return HEX.fullmatch(text) is not None


def is_placeholder(text: bytes, *, weak: bool = False) -> bool:
    """Whether it says that the secret is to be put there. `weak`: any doubt will do."""
    text = text[:MOST]
    if any(mark in text for mark in (*MARKS, *CODE)):
        return True
    if len(text) > LONG:
        return False
    said = (_WEAK if weak else _SAID).find_matches_as_indexes(text.lower())
    return bool(said) and not is_drawn_beside(text, said)


def is_drawn_beside(text: bytes, said: Iterable[tuple[int, int, int]]) -> bool:
    """Whether enough of it is drawn all the same: a word that was put behind a live key."""
    rest = bytearray(text)
    for _, start, end in said:
        rest[start:end] = b" " * (end - start)
    return any(
        len(part) >= DRAWN and len(set(part)) >= DIFFERENT and changes(part) >= DRAWN_CHANGES
        for part in bytes(rest).translate(APART).split()
    )


def changes(text: bytes) -> float:
    """At what share of its steps it goes from one kind of character to another."""
    kinds = text[:MOST].translate(KINDS).replace(b"\0", b"")
    if len(kinds) < 2:
        return 0.0
    steps = sum(one != other for one, other in pairwise(kinds))
    return steps / (len(kinds) - 1)


def is_wordy(text: bytes) -> bool:
    """Whether it is made of words, in camelCase or with separators, instead of drawn letters."""
    text = HEX_RUN.sub(b" ", text[:MOST])
    letters = sum(97 <= one | 32 <= 122 for one in text)
    vowels = sum(one in VOWELS for one in text)
    if letters < SEQUENCE or vowels / letters < WORDY_VOWELS:
        return False
    alike = text in (text.lower(), text.upper())
    return changes(text) < (ALIKE_CHANGES if alike else WORDY_CHANGES)
