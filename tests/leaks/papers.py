"""Documents and pictures around one text: docx, xlsx, pptx, PDF, PNG, notebooks."""

import json
import struct
import zlib
from collections.abc import Sequence
from random import Random
from typing import Final
from xml.sax.saxutils import escape

from tests.leaks.archives import packed

W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
A: Final = "http://schemas.openxmlformats.org/drawingml/2006/main"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TYPES: Final = (
    HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def office(**members: str) -> bytes:
    """A document's archive; `__` in a name is a slash."""
    named = {name.replace("__", "/") + ".xml": HEAD + text for name, text in members.items()}
    return packed(
        {"[Content_Types].xml": TYPES.encode()} | {n: t.encode() for n, t in named.items()}
    )


def run(text: str) -> str:
    inside = f'<w:t xml:space="preserve">{escape(text)}</w:t>'
    return f'<w:r><w:rPr><w:lang w:val="en"/></w:rPr>{inside}</w:r>'


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(map(run, runs))}</w:p>"


def document(body: str) -> str:
    return f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'


def docx(texts: Sequence[str]) -> bytes:
    lines = [line for text in texts for line in text.splitlines()]
    return office(word__document=document("".join(map(paragraph, lines))))


def docx_runs(secret: str, chance: Random) -> bytes:
    """One value in several runs, as the spelling checker leaves it."""
    edges = sorted(chance.sample(range(2, len(secret)), 3))
    pieces = [secret[a:b] for a, b in zip([0, *edges], [*edges, len(secret)], strict=True)]
    body = paragraph("Hello") + paragraph("login: ", *pieces, " and so on")
    return office(word__document=document(body))


def docx_table(secret: str) -> bytes:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("login", secret, "2026"))
    return office(word__document=document(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"))


def docx_header(secret: str) -> bytes:
    header = f'<w:hdr xmlns:w="{W}">{paragraph(secret)}</w:hdr>'
    return office(word__document=document(paragraph("Hi")), word__header1=header)


def xlsx(secret: str, shared: bool) -> bytes:
    """The value in a cell, by its number in the list of strings or in place."""
    string = '<c r="B2" t="s"><v>1</v></c>'
    if not shared:
        string = f'<c r="B2" t="inlineStr"><is><t>{escape(secret)}</t></is></c>'
    row = f'<row r="2"><c r="A2"><v>17</v></c>{string}</row>'
    sheet = f'<worksheet xmlns="{S}"><sheetData>{row}</sheetData></worksheet>'
    if not shared:
        return office(xl__worksheets__sheet1=sheet)
    items = f"<si><t>login</t></si><si><t>{escape(secret)}</t></si>"
    strings = f'<sst xmlns="{S}" count="2" uniqueCount="2">{items}</sst>'
    return office(xl__worksheets__sheet1=sheet, xl__sharedStrings=strings)


def pptx(secret: str) -> bytes:
    text = f"<a:p><a:r><a:t>login {escape(secret)}</a:t></a:r></a:p>"
    return office(ppt__slides__slide1=f'<p:sld xmlns:p="p" xmlns:a="{A}">{text}</p:sld>')


def notebook(sources: Sequence[str]) -> bytes:
    cells = [
        {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": []}
        for source in sources
    ]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


# PDF


def literal(text: str) -> str:
    return "(" + "".join("\\" + c if c in "()\\" else c for c in text) + ")"


def shown(text: str) -> str:
    """The operators that print these lines."""
    lines = [f"{literal(line)} Tj T*" for line in text.splitlines()]
    return "BT /F1 11 Tf 14 TL 50 780 Td\n" + "\n".join(lines) + "\nET"


def octal(secret: str) -> str:
    """Every third character as an octal escape."""
    text = "".join(f"\\{ord(c):03o}" if n % 3 == 0 else c for n, c in enumerate(secret))
    return f"BT /F1 11 Tf 50 780 Td (login: {text}) Tj ET"


def pdf_kerned(secret: str, chance: Random) -> bytes:
    """Pieces with the distances between them, as typesetters write them."""
    pieces: list[str] = []
    at = 0
    while at < len(secret):
        step = chance.randint(2, 9)
        pieces.append(literal(secret[at : at + step]))
        at += step
    line = str(chance.randint(-30, 30)).join(f" {piece} " for piece in pieces)
    return pdf(f"BT /F1 11 Tf 50 780 Td [(login: )-250 {line}] TJ ET", packs=True)


def pdf(content: str, packs: bool = False, title: str = "Notes") -> bytes:
    """One page with this content."""
    stream = content.encode("latin-1")
    stream = zlib.compress(stream) if packs else stream
    how = "/Filter /FlateDecode " if packs else ""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< {how}/Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title {literal(title)} >>".encode(),
    ]
    return with_table(objects)


def with_table(objects: Sequence[bytes]) -> bytes:
    """The objects by number, and the table of where they begin."""
    made = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    starts = []
    for number, content in enumerate(objects, 1):
        starts.append(len(made))
        made += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    rows = "".join(f"{start:010} 00000 n \n" for start in starts)
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{rows}"
    end = f"trailer\n<< /Size {size} /Root 1 0 R /Info {size - 1} 0 R >>\nstartxref\n{len(made)}\n"
    return made + table.encode() + end.encode() + b"%%EOF\n"


# PNG


def chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(*texts: bytes, pixels: bytes | None = None, side: int = 24) -> bytes:
    """A grey square; `texts` are chunks before the picture."""
    rows = pixels if pixels is not None else bytes(side * side)
    lines = b"".join(b"\0" + rows[n * side : (n + 1) * side] for n in range(side))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(texts) + body


def png_text(secret: str) -> bytes:
    return chunk(b"tEXt", b"Comment\0" + f"login {secret}".encode("latin-1"))


def png_packed(secret: str) -> bytes:
    return chunk(b"zTXt", b"Comment\0\0" + zlib.compress(f"login {secret}".encode()))


def png_international(secret: str, packs: bool) -> bytes:
    text = f"login {secret}".encode()
    return chunk(
        b"iTXt",
        b"XML:com.adobe.xmp\0"
        + bytes([packs, 0])
        + b"\0\0"
        + (zlib.compress(text) if packs else text),
    )
