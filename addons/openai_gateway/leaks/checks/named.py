"""Values that only a name beside them calls a secret: `api_key = "…"`, `user:…@host`, `Bearer …`.

The name must be one of a secret (names.py), and the value must look drawn, not written.
"""

from itertools import pairwise
from typing import Final

import re2

from openai_gateway.leaks.checks.checked import Checked, kept
from openai_gateway.leaks.checks.doubts import (
    APART,
    HEX_RUN,
    changes,
    entropy,
    is_placeholder,
    is_wordy,
)
from openai_gateway.leaks.checks.names import (
    has_secrets_name,
    is_harmless,
    is_secrets_name,
    name_of,
)

PATH: Final = re2.compile(rb"/|\.{1,2}/|~/|(?:[a-z_-]+/){2}")
DOTTED: Final = re2.compile(rb"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
UUID: Final = re2.compile(rb"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# Vendors give them as these.
UUIDS: Final = (["key"], ["token"], ["apikey"], ["secret"])
# Rules of their own say what is to be done about these.
OWN: Final = re2.compile(
    rb"eyJ[A-Za-z0-9_-]+\.eyJ|(?:(?:sk|rk|pk)_test|pk_live)_[A-Za-z0-9]{20,150}$|ek_[A-Za-z0-9]{30,100}$"
    rb"|AIza[A-Za-z0-9_-]{35}$|gh[pousr]_[A-Za-z0-9]{36}$|npm_[A-Za-z0-9]{36}$"
    rb"|(?:AKIA|ASIA)[A-Z2-7]{16}(?:$|%2F|/)|sb_publishable_[A-Za-z0-9_-]{31}$|pk-lf-[0-9a-f-]{36}$"
    rb"|pk\.eyJ|phc_[A-Za-z0-9]{40,50}$"
)
# Names of places, versions, times, hashes with their algorithm, references.
NO_SECRET: Final = re2.compile(
    rb"(?i)(?:[a-z][a-z0-9+.-]*:/|[a-z]:\\|arn:|urn:|data:|\$|@|--|v\d+\.\d"
    rb"|(?:sha\d+|md5|sha)[-:_=]|\d{4}-\d\d-\d\d|\d+\.\d+\.\d+"
    rb"|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|dev|ai|json|ya?ml|pem|key|txt|md|py|js|ts|tsx"
    rb"|html?|png|jpe?g|svg|pdf|env|toml|lock|crt|local|internal)\b)"
)
NOT_USED: Final = frozenset({
    b"user", b"pass", b"password", b"passwd", b"postgres", b"root", b"guest", b"secret", b"admin",
    b"test", b"changeme", b"username", b"mysql", b"rabbitmq", b"redis", b"mongodb", b"token",
})  # fmt: skip
# Drawn base62 changes its kind at 62 % of its steps, a-z0-9 at 40; `PrivateKey2` at a third.
LEAST_CASED: Final = 0.38
LEAST_CHANGES: Final = 0.15
# What goes on with one of these is code, or a placeholder.
GOES_ON: Final = (b"(", b"[", b"{", b"<")


def value(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """Of 16 and more characters, with a digit and a letter or drawn in both cases."""
    if not has_secrets_name(text, start) or goes_on(text, end):
        return "drop"
    if OWN.match(secret) or is_place(secret) or is_in_arn(text, start):
        return "drop"
    if UUID.fullmatch(secret):
        return kept(name_of(text, start)[-1:] in UUIDS and is_unlike_word(secret))
    return kept(is_drawn(secret) and not is_placeholder(secret, weak=True))


def password(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """Of 8 to 15 characters: three kinds of them, well mixed."""
    if not has_secrets_name(text, start) or goes_on(text, end) or is_cut(text, end):
        return "drop"
    if is_place(secret) or is_placeholder(secret, weak=True) or not has_digit(secret):
        return "drop"
    kinds = (secret != secret.lower(), secret != secret.upper(), not secret.isalnum())
    return kept(sum(kinds) >= 2 and mixed(secret) >= 0.45 and entropy(secret) > 2.7)


def url_password(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Of `user:password`: not one of the usual, at least 8 characters and 3 bits."""
    lower = secret.lower()
    if len(secret) < 8 or lower.startswith((b"$", b"%s", b"{")) or goes_on(text, end):
        return "drop"
    if is_placeholder(secret, weak=True) or lower.strip(b"0123456789!@") in NOT_USED:
        return "drop"
    if lower.isalpha() and secret in (lower, secret.upper(), secret.title()):
        return kept(entropy(secret) >= 3.0 and not is_wordy(secret))
    return kept(entropy(secret) >= 2.7)


def vendors(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """What a vendor's name stands beside, of a form that is its own; not an id or a checksum."""
    words = name_of(text, start)
    if words and is_harmless(words):
        return "drop"
    if UUID.fullmatch(secret):
        return kept(is_secrets_name(words) and is_unlike_word(secret))
    mixture = has_letter(secret) and (has_digit(secret) or changes(secret) >= 0.4)
    return kept(mixture and is_unlike_word(secret) and entropy(secret) >= 3.0)


def drawn(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Looks drawn by chance."""
    return kept(is_drawn(secret))


def command(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """A password given to a command, not the option or the file that comes next."""
    if is_place(secret) or is_placeholder(secret, weak=True) or not has_digit(secret):
        return "drop"
    if mixed(secret) < 0.3:
        return "drop"
    return url_password(secret, text, start, end)


def bearer(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """What stands behind `Bearer`, where no rule of its own knows it."""
    if OWN.match(secret) or is_place(secret) or goes_on(text, end):
        return "drop"
    return kept(is_drawn(secret) and not is_placeholder(secret, weak=True))


def goes_on(text: bytes, end: int) -> bool:
    """Whether the value is but the beginning of something else; the end of an XML tag is not."""
    return text[end : end + 1] in GOES_ON and text[end : end + 2] != b"</"


def is_cut(text: bytes, end: int) -> bool:
    """Whether a value that is read without its end goes on."""
    return text[end : end + 1].isalnum() or text[end : end + 1] in (b"_", b"-", b"/", b"+", b"=")


def is_in_arn(text: bytes, start: int) -> bool:
    """Amazon's name of a secret has `secret:` in it, and the name of what holds it behind that."""
    before = text[max(0, start - 120) : start].split()
    return bool(before) and b"arn:" in before[-1]


def is_place(secret: bytes) -> bool:
    """Whether it says where something is: a path, a URL, a name with dots; a version, a hash."""
    if NO_SECRET.match(secret):
        return True
    return changes(secret) < 0.45 and (PATH.match(secret) or DOTTED.fullmatch(secret)) is not None


def is_unlike_word(secret: bytes) -> bool:
    """At least 8 different characters, and none of the doubts that words raise."""
    return len(set(secret)) >= 8 and not is_wordy(secret)


def is_drawn(secret: bytes) -> bool:
    """Whether it looks drawn by chance."""
    if not (is_unlike_word(secret) and has_letter(secret)):
        return False
    runs = HEX_RUN.findall(secret)
    if runs and 2 * len(runs[0]) > len(secret):
        return has_digit(runs[0]) and has_letter(runs[0]) and entropy(runs[0]) >= 3.0
    digit, changing = has_digit(secret), changes(secret)
    longest = max(secret.translate(APART).split(), key=len)
    one_case = longest in (longest.lower(), longest.upper())
    if changing < (LEAST_CHANGES if one_case else LEAST_CASED) or not (digit or changing >= 0.4):
        return False
    return entropy(secret) >= (3.6 if len(secret) >= 24 else 3.3)


def has_digit(secret: bytes) -> bool:
    return any(48 <= one <= 57 for one in secret)


def has_letter(secret: bytes) -> bool:
    return any(65 <= one <= 90 or 97 <= one <= 122 for one in secret)


def mixed(secret: bytes) -> float:
    """At what share of its steps the kind changes, marks counted as a kind of their own."""
    kinds = bytes(0 if not chr(one).isalnum() else 1 if 97 <= one <= 122 else 2 if one >= 65 else 3
                  for one in secret)  # fmt: skip
    return sum(a != b for a, b in pairwise(kinds)) / max(1, len(kinds) - 1)
