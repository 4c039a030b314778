"""Secrets that were taken apart or written in a way that a reader has to put together."""

import base64
import binascii
import codecs
import json
import quopri
import textwrap
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from tests.leaks import filler
from tests.leaks.case import RESPONSES, Place, Sent, chat, dumps, responses
from tests.leaks.code_base64 import b64, noted
from tests.leaks.code_escapes import percent
from tests.leaks.encodings import carried
from tests.leaks.kind import Code
from tests.leaks.places_chat import called, history

CYRILLIC: Final = str.maketrans(
    "aceopxyABCEHKMOPTX",
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443"
    "\u0410\u0412\u0421\u0415\u041d\u041a\u041c\u041e\u0420\u0422\u0425",
)
GREEK: Final = str.maketrans(
    "oABEZHIKMNOPTXY",
    "\u03bf\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03a5",
)


MARKS: Final = ("\u0336", "\u0335", "\u0301", "\u0323", "\u20dd")


def cut(secret: str, chance: Random, least: int = 4, most: int = 16) -> list[str]:
    """The value in pieces, none of which tells it."""
    pieces: list[str] = []
    at = 0
    while at < len(secret):
        step = chance.randint(least, most)
        pieces.append(secret[at : at + step])
        at += step
    return pieces


def joined(between: str, before: str = "", after: str = "") -> Code:
    """The pieces with something between, as source code and text have it."""
    return lambda secret, chance: before + between.join(cut(secret, chance)) + after


def broken(end: str) -> Code:
    """Lines of one width, as a terminal or an e-mail breaks them."""
    return lambda secret, chance: "\n" + end.join(rows(secret, chance.randint(12, 30)))


def broken_at_hyphens(secret: str, chance: Random) -> str:
    """As programs for mail break a long word: behind its hyphens, where it has some."""
    return "\n" + "\n".join(textwrap.wrap(secret, chance.randint(30, 50)))


def rows(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


def spaced(secret: str, _: Random) -> str:
    return " ".join(secret)


def letters(secret: str, _: Random) -> str:
    return json.dumps(list(secret))


def letters_in_python(secret: str, _: Random) -> str:
    return f"key = ''.join({list(secret)!r})"


def starred(secret: str, chance: Random) -> str:
    """Markdown that makes pieces bold, so that they look the same when shown."""
    pieces = cut(secret, chance)
    return "".join(f"**{piece}**" if n % 2 else piece for n, piece in enumerate(pieces))


def backwards(secret: str, chance: Random) -> str:
    return noted(secret, chance)[::-1]


def rot13(secret: str, chance: Random) -> str:
    return codecs.encode(noted(secret, chance), "rot13")


def coded(form: str, between: str, before: str = "", after: str = "") -> Code:
    """Every character's number."""
    return lambda secret, _: before + between.join(form.format(ord(c)) for c in secret) + after


def xxd(secret: str, chance: Random) -> str:
    """Offsets, pairs of bytes, and the text beside them."""
    data = noted(secret, chance).encode()
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        pairs = " ".join(row[n : n + 2].hex() for n in range(0, len(row), 2))
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        lines.append(f"{at:08x}: {pairs:<39}  {shown}")
    return "\n".join(lines)


def hexdump(secret: str, chance: Random) -> str:
    """As `hexdump -C` prints it."""
    data = noted(secret, chance).encode()
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        halves = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}"
        lines.append(f"{at:08x}  {halves:<49} |{shown}|")
    return "\n".join(lines)


def plain_dump(secret: str, chance: Random) -> str:
    """As `xxd -p` prints it: hex in lines of 60."""
    return "\n".join(rows(noted(secret, chance).encode().hex(), 60))


def base32(secret: str, chance: Random) -> str:
    return in_base32(noted(secret, chance))


def base32_lines(secret: str, chance: Random) -> str:
    return "\n".join(rows(base32(secret, chance), 64))


def in_base32(text: str) -> str:
    return base64.b32encode(text.encode()).decode()


def struck(secret: str, chance: Random) -> str:
    """Letters with marks: strokes, accents, circles."""
    return "".join(c + chance.choice(MARKS) for c in secret)


def printable_all(secret: str, _: Random) -> str:
    return "".join(f"={ord(c):02X}" for c in secret)


def printable_lines(secret: str, chance: Random) -> str:
    """Quoted-printable as mail has it: soft line breaks, and a letter that is not ASCII."""
    before = f"Gr\u00fc\u00dfe: {filler.text(chance, 90).replace(chr(10), ' ')[:35]}"
    text = f"{before} {secret} {filler.sentence(chance)}"
    return quopri.encodestring(text.encode()).decode()


def chained(*steps: Callable[[str], str]) -> Code:
    def code(secret: str, chance: Random) -> str:
        text = noted(secret, chance)
        for step in steps:
            text = step(text)
        return text

    return code


def hexed(text: str) -> str:
    return binascii.hexlify(text.encode()).decode()


def alike(table: dict[int, int]) -> Code:
    """Half of the letters that have a double get it, the first such letter always."""

    def code(secret: str, chance: Random) -> str:
        made = [c.translate(table) if chance.random() < 0.5 else c for c in secret]
        first = next(n for n, c in enumerate(secret) if ord(c) in table)
        made[first] = secret[first].translate(table)
        return "".join(made)

    return code


def tags(before: str) -> Code:
    """Characters that nothing shows."""
    return lambda secret, _: before + "".join(chr(0xE0000 + ord(c)) for c in secret)


# over several texts


def halves(secret: str, chance: Random, count: int = 2) -> list[str]:
    """Cut in so many pieces, with harmless text before the first and after the last."""
    edges = sorted(chance.sample(range(6, len(secret) - 6), count - 1))
    starts, ends = [0, *edges], [*edges, len(secret)]
    pieces = [secret[a:b] for a, b in zip(starts, ends, strict=True)]
    pieces[0] = f"{filler.text(chance, 200)}\nIt begins so: {pieces[0]}"
    pieces[-1] += f" and that is all. {filler.sentence(chance)}"
    return pieces


def over(count: int, make: Callable[[Sequence[str]], Sent]) -> Place:
    return lambda secret, chance: make(halves(secret, chance, count))


def parts(texts: Sequence[str]) -> Sent:
    return chat([{"type": "text", "text": text} for text in texts])


def messages(texts: Sequence[str]) -> Sent:
    return history(*({"role": "user", "content": text} for text in texts))


def input_texts(texts: Sequence[str]) -> Sent:
    content = [{"type": "input_text", "text": text} for text in texts]
    return responses([{"role": "user", "content": content}])


def items(texts: Sequence[str]) -> Sent:
    return responses([{"role": "user", "content": text} for text in texts])


def strings(texts: Sequence[str]) -> Sent:
    return called(json.dumps({"lines": list(texts)}))


def embedded(texts: Sequence[str]) -> Sent:
    body = {"model": "text-embedding-3-small", "input": list(texts)}
    return Sent("POST", b"/v1/embeddings", dumps(body))


def frames(texts: Sequence[str]) -> Sent:
    """Messages of one socket; the last is the one that is judged."""
    events = [
        dumps({"type": "response.create", "model": "gpt-5.4-mini", "input": text}) for text in texts
    ]
    return Sent("WS", RESPONSES.encode(), events[-1], earlier=tuple(events[:-1]))


SPLIT: Final[dict[str, Place]] = {
    "literals with plus": carried(joined('" + "', 'key = "', '"')),
    "literals with plus, over lines": carried(joined("' +\n    '", "const key = '", "';")),
    "literals side by side": carried(joined('"\n       "', 'key = ("', '")')),
    "literals with dots": carried(joined("' . '", "$key = '", "';")),
    "list of pieces": carried(joined('", "', 'key = "".join(["', '"])')),
    "pieces in brackets": carried(joined("][", "It is: [", "].")),
    "pieces in a table": carried(joined(" |\n| ", "Of these: | ", " |.")),
    "broken lines": carried(broken("\n")),
    "broken lines, indented": carried(broken("\n    ")),
    "broken lines with backslash": carried(broken("\\\n")),
    "broken lines, at hyphens": carried(broken_at_hyphens),
    "blanks between letters": carried(spaced),
    "hyphens between letters": carried(lambda s, _: "-".join(s)),
    "pieces in bold": carried(starred),
    "list of letters": carried(letters),
    "list of letters, Python": carried(letters_in_python),
    "reversed": carried(backwards),
    "ROT13": carried(rot13),
    "hex with blanks": carried(coded("{:02x}", " ")),
    "hex with blanks, upper case": carried(coded("{:02X}", " ")),
    "hex with colons": carried(coded("{:02x}", ":")),
    "hex with 0x": carried(coded("0x{:02x}", ", ", "byte[] k = {", "};")),
    "xxd": carried(xxd),
    "hexdump": carried(hexdump),
    "xxd, plain": carried(plain_dump),
    "decimal codes": carried(coded("{}", " ")),
    "decimal codes, list": carried(coded("{}", ", ", "String.fromCharCode(", ")")),
    "octal codes": carried(coded("{:03o}", " ")),
    "octal escapes": carried(coded("\\{:03o}", "")),
    "binary codes": carried(coded("{:08b}", " ")),
    "base32": carried(base32),
    "base32, lines of 64": carried(base32_lines),
    "quoted-printable, all": carried(printable_all),
    "quoted-printable, lines": carried(printable_lines),
    "base32 of base64": carried(chained(b64, in_base32)),
    "hex of base64": carried(chained(b64, hexed)),
    "base64 of hex": carried(chained(hexed, b64)),
    "percent of base64": carried(chained(b64, percent)),
    "hex of hex": carried(chained(hexed, hexed)),
    "Cyrillic look-alikes": carried(alike(CYRILLIC)),
    "Greek look-alikes": carried(alike(GREEK)),
    "marked letters": carried(struck),
    "tag characters": carried(tags("")),
    "tag characters after a flag": carried(tags("\U0001f3f4")),
    "two content parts": over(2, parts),
    "three content parts": over(3, parts),
    "two messages": over(2, messages),
    "two input_texts": over(2, input_texts),
    "two input items": over(2, items),
    "two strings of a list": over(2, strings),
    "two embeddings inputs": over(2, embedded),
    "two socket messages": over(2, frames),
}
