"""Values that only a name beside them calls a secret: `api_key = "…"`, `user:…@host`, `Bearer …`.

The name must end as names of secrets do, and the value must look drawn, not written.
"""

import re
from itertools import pairwise
from typing import Final

import re2

from openai_gateway.leaks.checked import Checked, kept
from openai_gateway.leaks.doubts import changes, entropy, is_hex, is_placeholder, is_wordy

NEAR: Final = 160
# A name, then what stands between it and its value; read from the value backwards.
NAME: Final = re2.compile(
    rb"""(-{1,2}|\(\s{0,20}["'`])?([A-Za-z_][A-Za-z0-9_.\-]{0,80})\\{0,4}["'`\])]{0,3}"""
    rb"""(?:[ \t]{0,2}:[ \t]{0,2}[A-Za-z_][A-Za-z0-9_.\[\]| ?]{0,30}[ \t]{0,4}=[ \t]{0,30}"""
    rb"""|[ \t]{0,30}(?:=>|:=|={1,3}|:{1,2}|(,)|>)\s{0,20}"""
    rb"""|[ \t]{1,3}(?:is|was)[ \t:]{1,3}"""
    rb"""|[ \t]{0,4},?\s{0,40}\\{0,4}["']?value\\{0,4}["']?[ \t]{0,4}[:=][ \t]{0,4}"""
    rb"""|([ \t]{1,3}))\\{0,4}["'`]?$"""
)
WORD: Final = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

SECRETS: Final = frozenset({
    "secret", "secrets", "password", "passwd", "passphrase", "passcode", "pwd", "pass", "token",
    "tokens", "credential", "credentials", "auth", "pw",
})  # fmt: skip
ENDINGS: Final = (
    "secret", "password", "passwd", "passphrase", "token", "credential", "credentials", "apikey",
    "accesskey", "secretkey", "privatekey", "authkey", "authtoken", "masterkey", "accountkey",
)  # fmt: skip
# `key` is a secret's name only behind one of these.
KEYS: Final = frozenset({
    "api", "secret", "access", "private", "auth", "encryption", "signing", "master", "account",
    "client", "service", "shared", "subscription", "app", "application", "admin", "license",
    "server", "jwt", "hmac", "session", "webhook", "deploy", "integration", "storage", "write",
    "ingest", "cipher", "aes", "decryption", "user", "rest", "consumer", "security", "seal",
})  # fmt: skip
# A name that ends so says something about a secret, and is none.
ENDS: Final = frozenset({
    "id", "ids", "name", "names", "url", "uri", "path", "file", "filename", "hash", "type",
    "header", "count", "min", "max", "ttl", "length", "len", "size", "limit", "expiry", "expires",
    "expiration", "expire", "exp", "at", "in", "field", "prefix", "suffix", "regex", "regexp",
    "pattern", "label", "title", "hint", "policy", "version", "alg", "algorithm", "index", "env",
    "ref", "reference", "arn", "format", "status", "scope", "scopes", "host", "endpoint",
    "placeholder", "example", "digest", "checksum", "fingerprint", "location", "source", "store",
    "manager", "provider", "class", "model", "kind", "usage", "usages", "description", "message",
    "error", "created", "updated", "date", "time", "timestamp", "seconds", "days", "enabled",
    "required", "budget", "issuer", "audience", "method", "mode", "rotation", "sha", "py", "js",
    "ts", "json", "yaml", "md", "go", "rs", "txt", "html", "var", "variable", "input", "output",
    "text", "list", "map", "set", "rule", "rules", "data",
})  # fmt: skip
# A name with one of these is no secret's, or one of a single page or list.
HARMLESS: Final = frozenset({
    "public", "publishable", "csrf", "xsrf", "page", "cursor", "next", "continuation", "sync",
    "pagination", "idempotency", "cache", "cached", "primary", "foreign", "sort", "partition",
    "dedup", "tokenizer", "eos", "bos", "pad", "forgery", "start", "end", "resume", "nonce",
    "placeholder", "example", "sample", "dummy", "fake", "mock", "hash", "hashed", "encrypted",
    "redacted", "masked", "prev", "previous", "special", "unk", "sep", "cls", "etag", "commit",
    "lock", "resource", "prompt", "completion", "input", "output", "max", "device", "site",
})  # fmt: skip
DOTTED: Final = re2.compile(rb"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
UUID: Final = re2.compile(rb"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# Rules of their own say what is to be done about these.
OWN: Final = re2.compile(
    rb"eyJ[A-Za-z0-9_-]+\.eyJ|(?:(?:sk|rk|pk)_test|pk_live)_[A-Za-z0-9]{20,150}$|ek_[A-Za-z0-9]{30,100}$"
    rb"|AIza[A-Za-z0-9_-]{35}$|gh[pousr]_[A-Za-z0-9]{36}$|npm_[A-Za-z0-9]{36}$"
    rb"|(?:AKIA|ASIA)[A-Z2-7]{16}$|sb_publishable_[A-Za-z0-9_-]{31}$|pk-lf-[0-9a-f-]{36}$"
    rb"|pk\.eyJ|phc_[A-Za-z0-9]{40,50}$"
)
# Names of places, versions, times, hashes with their algorithm, references.
NO_SECRET: Final = re2.compile(
    rb"(?i)(?:[a-z][a-z0-9+.-]*:/|/|\./|\.\./|~/|[a-z]:\\|arn:|urn:|projects/|refs/|data:|\$|@|--|v\d+\.\d"
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
    words = name_of(text, start)
    if not is_secrets_name(words) or goes_on(text, end):
        return "drop"
    if OWN.match(secret) or is_place(secret):
        return "drop"
    if UUID.fullmatch(secret):
        return kept(words[-1] in ("key", "token", "apikey", "secret") and is_unlike_word(secret))
    return kept(is_drawn(secret) and not is_placeholder(secret, weak=True))


def password(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """Of 8 to 15 characters: three kinds of them, well mixed."""
    words = name_of(text, start)
    if not is_secrets_name(words) or goes_on(text, end):
        return "drop"
    if is_place(secret) or is_placeholder(secret, weak=True) or is_cut(text, end):
        return "drop"
    kinds = (
        secret != secret.lower(),
        secret != secret.upper(),
        has_digit(secret),
        not secret.isalnum(),
    )
    return kept(
        sum(kinds) >= 3 and has_digit(secret) and mixed(secret) >= 0.45 and entropy(secret) > 2.7
    )


def url_password(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Of `user:password`: not one of the usual, at least 8 characters and 3 bits."""
    lower = secret.lower()
    if (
        len(secret) < 8
        or lower in NOT_USED
        or any(lower.startswith(one) for one in (b"$", b"%s", b"{"))
    ):
        return "drop"
    if is_placeholder(secret, weak=True) or any(
        lower.strip(b"0123456789!@") == one for one in NOT_USED
    ):
        return "drop"
    if lower.isalpha() and secret in (lower, secret.upper(), secret.title()):
        return kept(entropy(secret) >= 3.0 and not is_wordy(secret))
    return kept(entropy(secret) >= 2.7)


def vendors(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """What a vendor's name stands beside, of a form that is its own; not an id or a checksum."""
    words = name_of(text, start)
    if words and (words[-1] in ENDS or not HARMLESS.isdisjoint(words)):
        return "drop"
    if UUID.fullmatch(secret):
        return kept(is_secrets_name(words) and is_unlike_word(secret))
    return kept(is_drawn(secret))


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


def name_of(text: bytes, start: int) -> list[str]:
    """The words of the name that the value at `start` has; none where it has no name."""
    found = NAME.search(text[max(0, start - NEAR) : start])
    if found is None:
        return []
    before, name, comma, blank = found.groups()
    if (comma and not is_call(before)) or (blank and not is_option(before)):
        return []
    return [one.decode().lower() for one in WORD.findall(name)]


def is_call(before: bytes | None) -> bool:
    """`set("name", "value")`: elsewhere a comma parts what does not belong together."""
    return before is not None and before.startswith(b"(")


def is_option(before: bytes | None) -> bool:
    """`--name value`: elsewhere a blank parts words."""
    return before is not None and before.startswith(b"-")


def goes_on(text: bytes, end: int) -> bool:
    """Whether the value is but the beginning of something else; the end of an XML tag is not."""
    return text[end : end + 1] in GOES_ON and text[end : end + 2] != b"</"


def is_cut(text: bytes, end: int) -> bool:
    """Whether a value that is read without its end goes on."""
    return text[end : end + 1].isalnum() or text[end : end + 1] in (b"_", b"-", b"/", b"+", b"=")


def is_secrets_name(words: list[str]) -> bool:
    while words and (words[-1].isdigit() or len(words[-1]) == 1):
        words = words[:-1]
    if not words or words[-1] in ENDS or not HARMLESS.isdisjoint(words):
        return False
    if any(other in ("key", "keys") and is_keys_name(one) for one, other in pairwise(words)):
        return True
    return any(one in SECRETS or one.endswith(ENDINGS) for one in words)


def is_keys_name(word: str) -> bool:
    return word in KEYS or word.endswith("api")


def is_place(secret: bytes) -> bool:
    """Whether it says where something is: a path, a URL, a name with dots; a version, a hash."""
    dotted = DOTTED.fullmatch(secret) is not None and changes(secret) < 0.4
    return dotted or NO_SECRET.match(secret) is not None


def is_unlike_word(secret: bytes) -> bool:
    """At least 8 different characters, and none of the doubts that words raise."""
    return len(set(secret)) >= 8 and not is_wordy(secret)


def is_drawn(secret: bytes) -> bool:
    """Whether it looks drawn by chance."""
    if not (is_unlike_word(secret) and has_letter(secret)):
        return False
    digit, changing = has_digit(secret), changes(secret)
    if is_hex(secret):
        return digit and entropy(secret) >= 3.0
    one_case = secret in (secret.lower(), secret.upper())
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
