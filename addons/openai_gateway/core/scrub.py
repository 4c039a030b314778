"""What no sink may show: masks whatever looks like a credential, and escapes what forges a line.

Stands before every sink (log, stderr, database row). Each pattern is linear in the text, and a
text that was scrubbed once does not change when it is scrubbed again.
"""

import logging
import re
from collections.abc import Iterable
from typing import Final

from openai_gateway.core.secret import Secret

MASK: Final = "***"
# A shorter value would turn half of the log into stars, and is no secret worth the name.
_SHORTEST: Final = 4
_UNPRINTABLE: Final = "(a log record that could not be put into words)"

# Keys by OpenAI's prefixes. What is glued to other text (JSON's \n, %22) must be longer, so that
# "task-list" stays; `%` counts as a key's letter, as a dash may be percent-encoded.
_KEY: Final = re.compile(
    r"(?<![A-Za-z0-9])((?:sk|sess)(?:-|%2[dD])|(?:ek|whsec)(?:_|%5[fF]))[A-Za-z0-9_%-]{6,}"
    r"|((?:sk|sess)(?:-|%2[dD])|(?:ek|whsec)(?:_|%5[fF]))[A-Za-z0-9_%-]{16,}"
)
_TOKEN: Final = re.compile(r"""(openai-insecure-api-key\.)[^\s,;"']+""", re.IGNORECASE)
_SCHEME: Final = re.compile(
    r"""\b((?:(?:Bearer|Basic)(?:\s|%20|\+)+)+)[^\s,;"'<>\\]+""", re.IGNORECASE
)
_HEADER: Final = re.compile(
    r"""((?:authorization|api-key)(?:["']\s*[:,]|\s*[:=])\s*b?["']?)[^\r\n"'\\]+""", re.IGNORECASE
)
_USERINFO: Final = re.compile(r"""(?<=://)[^/?#\s"'<>]*@""")
# Without any of these no pattern can match; most texts have none, and are done in a microsecond.
_HINTS: Final = (
    *("sk-", "sk%", "sess", "ek_", "ek%", "whsec"),
    *("bearer", "basic", "authorization", "api-key", "://"),
)

# Controls, C1, line and paragraph separators, and the marks that turn the direction of text.
_FORGERS: Final = (*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES: Final = {
    code: _SHORT.get(chr(code)) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
    for code in _FORGERS
}


def scrub(text: str) -> str:
    """The text without credentials, on one line, without anything that steers a terminal."""
    masked = mask(text)
    escaped = escape(masked)
    # An escaped control no longer separates: what it stood between is one word now.
    return escaped if escaped is masked else mask(escaped)


def mask(text: str) -> str:
    """The text with a mask in place of whatever looks like a credential."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    text = _TOKEN.sub(rf"\1{MASK}", text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(rf"\1{MASK}", text)
    text = _KEY.sub(lambda found: (found[1] or found[2]) + MASK, text)
    return _USERINFO.sub(f"{MASK}@", text)


def escape(text: str) -> str:
    """Control characters, text direction marks and lone surrogates as backslash escapes."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode()


class Scrubber:
    """Masks these very values too, of whatever shape, plain and percent-encoded in any way."""

    __slots__ = ("_known",)

    def __init__(self, values: Iterable[Secret]) -> None:
        # One of the few places that reveal: what is to be masked must be known.
        known = {value.reveal() for value in values}
        longest_first = sorted((v for v in known if len(v) >= _SHORTEST), key=len, reverse=True)
        self._known = (
            re.compile("|".join(_however_encoded(value) for value in longest_first))
            if longest_first
            else None
        )

    def __call__(self, text: str) -> str:
        """The text without the known values and without what looks like a credential."""
        return scrub(self._known.sub(MASK, text) if self._known else text)


def _however_encoded(value: str) -> str:
    """A pattern for the value with any of its characters percent-encoded."""
    return "".join(f"(?:{re.escape(letter)}|{_percent(letter)})" for letter in value)


def _percent(letter: str) -> str:
    return "".join(f"(?i:%{byte:02x})" for byte in letter.encode("utf-8", "surrogatepass"))


class ScrubFilter(logging.Filter):
    """Rewrites every record on its way to a handler: its words, its traceback, its stack."""

    def __init__(self, values: Iterable[Secret] = ()) -> None:
        super().__init__()
        self._known = frozenset(values)
        self._scrub = Scrubber(self._known)

    def know(self, values: Iterable[Secret]) -> None:
        """Masks these from now on too: what was a secret before stays one.

        Takes milliseconds for many values; may be called in a thread.
        """
        known = self._known | frozenset(values)
        if known != self._known:
            self._known, self._scrub = known, Scrubber(known)

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through, scrubbed."""
        record.msg, record.args = self._scrub(_words(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # The exception itself would bring its unscrubbed words to a handler that asks for it.
        record.exc_info = None
        record.exc_text = self._lines(record.exc_text)
        record.stack_info = self._lines(record.stack_info)
        return True

    def _lines(self, text: str | None) -> str | None:
        """Several lines, each marked, so that none passes for a record of its own."""
        if not text:
            return None
        lines = (self._scrub(line) for line in text.split("\n"))
        return "\n".join(line if line.startswith("| ") else f"| {line}" for line in lines)


def _words(record: logging.LogRecord) -> str:
    """The message; a record whose arguments do not fit must not raise into the one who logs."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return _UNPRINTABLE
