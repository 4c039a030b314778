"""The name that a value has: `api_key` in `api_key = "…"`, in JSON, YAML, code, a URL, an option.

Whether it names a secret is told by its words: by the last one, and by those that say otherwise.
"""

import re
from itertools import pairwise
from typing import Final

import re2

NEAR: Final = 160
# A name, then what stands between it and its value; read from the value backwards.
_IDENTIFIER: Final = rb"""(-{1,2}|\(\s{0,20}["'`])?([A-Za-z_][A-Za-z0-9_.\-]{0,80})"""
_CLOSED: Final = rb"""\\{0,4}["'`\])]{0,3}"""
NAME: Final = re2.compile(
    _IDENTIFIER + _CLOSED + rb"""(?:[ \t]{0,30}(?:=>|:=|={1,3}|:{1,2}|(,)|>)\s{0,20}"""
    rb"""|[ \t]{1,3}(?:is|was)[ \t:]{1,3}"""
    rb"""|[ \t]{0,4},?\s{0,40}\\{0,4}["']?value\\{0,4}["']?[ \t]{0,4}[:=][ \t]{0,4}"""
    rb"""|([ \t]{1,3}))\\{0,4}["'`]?$"""
)
# `name: type = value`.
TYPED: Final = re2.compile(
    _IDENTIFIER
    + rb"""[ \t]{0,2}:[ \t]{0,2}[A-Za-z_][A-Za-z0-9_.\[\]| ?]{0,30}[ \t]{0,4}=[ \t]{0,30}"""
    rb"""\\{0,4}["'`]?$"""
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
# A name with one of these is no secret's.
NOT_REAL: Final = frozenset({
    "public", "publishable", "placeholder", "example", "sample", "dummy", "fake", "mock", "hash",
    "hashed", "encrypted", "redacted", "masked",
})  # fmt: skip
# A token or key with one of these is of one page, one list, one model; a password never is.
OF_LITTLE: Final = frozenset({
    "csrf", "xsrf", "forgery", "page", "cursor", "next", "prev", "previous", "continuation", "sync",
    "pagination", "idempotency", "cache", "cached", "primary", "foreign", "sort", "partition",
    "dedup", "tokenizer", "eos", "bos", "pad", "unk", "sep", "cls", "special", "start", "end",
    "resume", "nonce", "etag", "commit", "lock", "resource", "prompt", "completion", "input",
    "output", "max", "device", "site",
})  # fmt: skip
PASSWORDS: Final = frozenset({"secret", "password", "passwd", "passphrase", "pwd", "pass"})


def has_secrets_name(text: bytes, start: int) -> bool:
    """Whether the value at `start` has the name of a secret."""
    if is_secrets_name(name_of(text, start)):
        return True
    typed = TYPED.search(text[max(0, start - NEAR) : start])
    return typed is not None and is_secrets_name(words_of(typed.group(2)))


def name_of(text: bytes, start: int) -> list[str]:
    """The words of the name that the value at `start` has; none where it has no name."""
    found = NAME.search(text[max(0, start - NEAR) : start])
    if found is None:
        return []
    before, name, comma, blank = found.groups()
    if (comma and not is_call(before)) or (blank and not is_option(before)):
        return []
    return words_of(name)


def words_of(name: bytes) -> list[str]:
    return [one.decode().lower() for one in WORD.findall(name)]


def is_call(before: bytes | None) -> bool:
    """`set("name", "value")`: elsewhere a comma parts what does not belong together."""
    return before is not None and before.startswith(b"(")


def is_option(before: bytes | None) -> bool:
    """`--name value`: elsewhere a blank parts words."""
    return before is not None and before.startswith(b"-")


def is_secrets_name(words: list[str]) -> bool:
    while words and (words[-1].isdigit() or len(words[-1]) == 1):
        words = words[:-1]
    if not words or is_harmless(words):
        return False
    if any(other in ("key", "keys") and is_keys_name(one) for one, other in pairwise(words)):
        return True
    return any(one in SECRETS or one.endswith(ENDINGS) for one in words)


def is_keys_name(word: str) -> bool:
    return word in KEYS or word.endswith("api")


def is_harmless(words: list[str]) -> bool:
    """Whether the name says that what it names is no secret."""
    if words[-1] in ENDS or not NOT_REAL.isdisjoint(words):
        return True
    return PASSWORDS.isdisjoint(words) and not OF_LITTLE.isdisjoint(words)
