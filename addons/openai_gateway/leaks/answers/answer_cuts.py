"""Where a text may be cut while it still grows: what may become a secret must stay in one piece.

A run of characters without a blank may be a token that goes on, numbers in groups a card, and a
private key ends where its END line says so.
"""

import re
from typing import Final

LONGEST: Final = 512
LONGEST_KEY: Final = 8 * 1024
BEGIN: Final = b"-----BEGIN"
_END: Final = re.compile(rb"-----END[^\n-]{0,80}+-----")
_QUOTE: Final = re.compile(rb'(?<!\\)"')
# Secrets are ASCII without blanks, so any other byte ends one.
_BLANKS: Final = bytes(97 if 0x20 < code < 0x7F else 32 for code in range(256))
_IN_TOKEN: Final = frozenset(b"+/=_-.~\\")
_TOKENS: Final = bytes(
    97 if (chr(code).isalnum() and code < 0x7F) or code in _IN_TOKEN else 32 for code in range(256)
)
# Cards, IBANs and phone numbers: words of digits and capitals, the first with a digit.
_GROUPS: Final = re.compile(
    rb"(?:(?<=[\s(\"':=,])|\A)[+(]?[A-Z]{0,2}[0-9][A-Z0-9()./+-]*+ (?:[A-Z0-9()./+-]++ )*+\Z"
)
LONGEST_GROUPS: Final = 64
_IN_GROUPS: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ)")
# So many short words in a row are no key, but what is said about one.
_PROSE_WORDS: Final = 16
_PROSE_LONGEST: Final = 16
SHORTEST_LINE: Final = 48
_VALUE: Final = re.compile(rb"[A-Za-z0-9+/=_-]{16}")
# A run that cannot be a token's beginning, or too little of one to matter.
_HARMLESS: Final = re.compile(rb"[^A-Za-z0-9\\]*+[A-Za-z]?+[a-z']*+[^A-Za-z0-9\\]*+|[^\\]{0,7}")


def safe(held: bytes, json: bool) -> int:
    """How much of it may leave: up to its last blank, but no open key and no open groups."""
    cut = held.translate(_BLANKS).rfind(b" ") + 1
    if cut and BEGIN in held:
        cut = _beside_keys(held, cut, json)
    if cut > 1 and held[cut - 1] == 0x20 and held[cut - 2] in _IN_GROUPS:
        groups = _GROUPS.search(held, max(0, cut - LONGEST_GROUPS), cut)
        cut = groups.start() if groups else cut
    return cut


def _beside_keys(held: bytes, cut: int, json: bool) -> int:
    """The cut, moved out of a key that it would split: before an open one, behind a whole one."""
    at = held.find(BEGIN, 0, cut)
    quote = _QUOTE.search(held, at) if json else None
    end = _END.search(held, at)
    while at >= 0:
        quote = _QUOTE.search(held, at) if quote and quote.start() < at else quote
        end = _END.search(held, at) if end and end.start() < at else end
        closed = min(found.end() for found in (quote, end) if found) if quote or end else None
        if closed is None:
            return cut if is_prose(held[at:]) else at
        if closed > cut:
            return closed
        at = held.find(BEGIN, closed, cut)
    return cut


def is_prose(text: bytes) -> bool:
    words = text[-_PROSE_WORDS * (_PROSE_LONGEST + 1) :].split()[1:]
    if len(words) < _PROSE_WORDS:
        return False
    return max(len(word) for word in words[-_PROSE_WORDS:]) < _PROSE_LONGEST


def is_open_key(held: bytes, json: bool) -> bool:
    """Whether what begins as a key was cut off, and is one: has a line of base64."""
    if safe(held + b" ", json):
        return False
    words = held.replace(b"\\n", b" ").split()
    return b"PRIVATE" in held and max(len(word) for word in words) >= SHORTEST_LINE


def may_be_value(text: bytes) -> bool:
    """Whether a text has a word that is long enough for a key of a file."""
    return _VALUE.search(text) is not None


def is_harmless(held: bytes) -> bool:
    """Whether a run cannot be a secret's beginning, or is too little of one to matter."""
    return _HARMLESS.fullmatch(held) is not None


def token_cut(held: bytes) -> int:
    """Behind the last character that no token has, leaving half of what is held at least where it
    can; 0 where it is one single token."""
    classes = held.translate(_TOKENS)
    return classes.rfind(b" ", 0, len(held) - LONGEST // 2) + 1 or classes.rfind(b" ") + 1


def slide_cut(held: bytes) -> int:
    r"""All but what is held, and never inside of an escape such as \u00e9."""
    cut = len(held) - LONGEST
    escape = held.rfind(b"\\", max(0, cut - 6), cut)
    return escape if escape > 0 else cut


def end_of_run(text: bytes, since: int) -> int:
    """Where, from `since` on, a run that is dropped has ended; -1 where it goes on."""
    return text.translate(_TOKENS).find(b" ", since)


def end_of_key(text: bytes, since: int, json: bool) -> int:
    """The same of a key that is dropped. Its end may have begun before `since`."""
    end = _END.search(text)
    if end and end.end() >= since:
        return end.end()
    quote = _QUOTE.search(text, since) if json else None
    if quote:
        return quote.start()
    return len(text) if is_prose(text) else -1
