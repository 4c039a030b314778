"""Percent, hex, entities, escapes, and letters of Unicode that look like ours or like nothing."""

from random import Random
from typing import Final
from urllib.parse import quote

from tests.leaks.code_base64 import noted
from tests.leaks.kind import Code

ZERO_WIDTH: Final = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
BOLD: Final = ((0x1D400, "A", 26), (0x1D41A, "a", 26), (0x1D7CE, "0", 10))
MONO: Final = ((0x1D670, "A", 26), (0x1D68A, "a", 26), (0x1D7F6, "0", 10))
# &hyphen; is another character than the one of our keyboards.
NAMED: Final = {"-": "&#45;", "_": "&lowbar;", ".": "&period;"}


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def every_third(text: str) -> str:
    return "".join(percent(c) if n % 3 == 0 else quote(c) for n, c in enumerate(text))


def percents(times: int) -> Code:
    def code(secret: str, _: Random) -> str:
        text = percent(secret)
        for _ in range(times - 1):
            text = text.replace("%", "%25")
        return f"https://shop.lan/login?next={text}&lang=no"

    return code


def hexed(upper: bool) -> Code:
    def code(secret: str, chance: Random) -> str:
        text = noted(secret, chance).encode().hex()
        return text.upper() if upper else text

    return code


def each(form: str) -> Code:
    """Each character by its number."""
    return lambda secret, _: "".join(form.format(ord(c)) for c in secret)


def first_only(form: str) -> Code:
    """One character in some eight by its number."""

    def code(secret: str, chance: Random) -> str:
        marked = {0, *(chance.randrange(len(secret)) for _ in range(len(secret) // 8))}
        return "".join(form.format(ord(c)) if n in marked else c for n, c in enumerate(secret))

    return code


def named(secret: str, _: Random) -> str:
    return "".join(NAMED.get(c, c) for c in secret)


def slashes(secret: str, _: Random) -> str:
    """As PHP writes JSON."""
    return secret.replace("/", "\\/")


def between(marks: tuple[str, ...]) -> Code:
    return lambda secret, chance: "".join(c + chance.choice(marks) for c in secret)


def once(mark: str) -> Code:
    return lambda secret, _: secret[:9] + mark + secret[9:]


def fullwidth(secret: str, _: Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) for c in secret)


def lettered(alphabets: tuple[tuple[int, str, int], ...]) -> Code:
    table = {
        ord(first) + n: chr(start + n) for start, first, count in alphabets for n in range(count)
    }
    return lambda secret, _: secret.translate(table)


def data_percent(secret: str, _: Random) -> str:
    return "data:text/plain," + every_third(f"hello {secret} bye")
