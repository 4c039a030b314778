"""Base64 in its forms, and what wraps or fills it."""

import base64
import gzip
import json
import textwrap
from collections.abc import Callable
from random import Random

from tests.leaks import filler
from tests.leaks.kind import Code


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def noted(secret: str, chance: Random) -> str:
    """The value within a few words, so that it begins at any bit of the coded run."""
    return f"{filler.sentence(chance)[: chance.randint(3, 40)]} {secret}\n{filler.ask(chance)}"


def as_base64(secret: str, chance: Random) -> str:
    return b64(noted(secret, chance))


def url_safe(secret: str, chance: Random) -> str:
    text = noted(f"{secret} ~~~>>>???", chance)
    return base64.urlsafe_b64encode(text.encode()).decode()


def unpadded(secret: str, chance: Random) -> str:
    return as_base64(secret, chance).rstrip("=")


def wrapped(width: int, end: str) -> Code:
    def code(secret: str, chance: Random) -> str:
        run = b64(noted(secret, chance) + filler.text(chance, 300))
        return end.join(textwrap.wrap(run, width))

    return code


def wide(secret: str, _: Random) -> str:
    """A command of PowerShell, which takes UTF-16."""
    text = f"$t = '{secret}'; Connect-Shop -Key $t".encode("utf-16-le")
    return f"powershell.exe -NoProfile -EncodedCommand {base64.b64encode(text).decode()}"


def packed(pack: Callable[[bytes], bytes]) -> Code:
    def code(secret: str, chance: Random) -> str:
        return base64.b64encode(pack(noted(secret, chance).encode())).decode()

    return code


def same_gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def nested(depth: int) -> Code:
    def code(secret: str, chance: Random) -> str:
        text = noted(secret, chance)
        for _ in range(depth):
            text = b64(text)
        return text

    return code


def in_document(secret: str, _: Random) -> str:
    return b64(json.dumps({"kind": "login", "items": [1, {"value": secret}], "ok": True}))


def glued(secret: str, chance: Random) -> str:
    """After a path, whose letters and slashes are of base64's alphabet too."""
    return f"see https://files.shop.lan/d/{b64(noted(secret, chance))}"


def basic(secret: str, _: Random) -> str:
    return f"curl -H 'Authorization: Basic {b64('ci:' + secret)}' https://git.shop.lan"


def data_url(secret: str, chance: Random) -> str:
    return f"data:text/plain;charset=utf-8;base64,{as_base64(secret, chance)}"
