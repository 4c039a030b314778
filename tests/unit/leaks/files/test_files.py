"""Texts come out of files as people see them, within bounds, whatever is broken or hostile."""

import base64
import bz2
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.files.files import as_text, texts_of
from openai_gateway.leaks.reading.budget import FILES, MEMBER, MEMBERS, Budget, budget_for

TOKEN = "sk-" + "proj-" + "FAKEfake0123_-" * 4 + "Z9"
HALF = len(TOKEN) // 2
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def budget() -> Budget:
    return budget_for(0, SystemClock())


def read(data: bytes, spent: Budget | None = None) -> dict[str, bytes]:
    return dict(texts_of(data, spent or budget()))


def found(data: bytes) -> list[str]:
    """The names of the members in which the value is found; nothing may be left out."""
    spent = budget()
    names = [name for name, text in texts_of(data, spent) if TOKEN.encode() in text]
    assert not spent.over
    return names


def zipped(
    members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED, *, stream: bool = False
) -> bytes:
    """A zip; `stream`: written to a pipe, so that sizes follow each file."""
    file = Pipe() if stream else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


class Pipe(io.RawIOBase):
    """Cannot be sought in."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self.data += piece
        return len(piece)

    def getvalue(self) -> bytes:
        return bytes(self.data)


def tarred(members: dict[str, bytes], mode: str = "w", format: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=format) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def docx(*runs: str, extra: dict[str, bytes | str] | None = None) -> bytes:
    body = "".join(
        f'<w:r w:rsidR="00AB"><w:rPr><w:b/></w:rPr><w:t>{run}</w:t></w:r>' for run in runs
    )
    document = (
        f'<?xml version="1.0"?><w:document {W}><w:body><w:p>{body}</w:p></w:body></w:document>'
    )
    return zipped({"word/document.xml": document, **(extra or {})})


def xlsx(sheet: str, strings: str = "") -> bytes:
    return zipped(
        {
            "xl/worksheets/sheet1.xml": f"<worksheet {SHEET}>{sheet}</worksheet>",
            "xl/sharedStrings.xml": f"<sst {SHEET}>{strings}</sst>",
        }
    )


def pptx(*runs: str) -> bytes:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    body = "".join(f"<a:r><a:rPr/><a:t>{run}</a:t></a:r>" for run in runs)
    return zipped({"ppt/slides/slide1.xml": f"<p:sld {a}><a:p>{body}</a:p></p:sld>"})


def odt(*spans: str) -> bytes:
    body = "".join(f"<text:span>{span}</text:span>" for span in spans)
    content = f"<office:document-content><text:p>{body}</text:p></office:document-content>"
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def stream(data: bytes, head: str = "/Filter /FlateDecode") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), head.encode(), data)


def pdf(*streams: bytes, info: bytes = b"(a title)") -> bytes:
    objects = [b"<< /Type /Catalog >>", b"<< /Title " + info + b" >>", *streams]
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % pair for pair in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>\n%%EOF\n"


def page(text: bytes) -> bytes:
    return b"BT /F1 12 Tf 72 720 Td " + text + b" ET"


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(
        chunk(*one) for one in chunks
    ) + pixels + chunk(b"IEND", b"")  # fmt: skip


TEXT = f"the key is {TOKEN}, keep it".encode()
ESCAPED = TOKEN.replace("-", r"\055").encode()
KERNED = "[" + " -20 ".join(f"({TOKEN[at : at + 7]})" for at in range(0, len(TOKEN), 7)) + "] TJ"

HOLDING: dict[str, tuple[str, bytes]] = {
    "zip": ("a.txt", zipped({"a.txt": TEXT, "b": b"other"})),
    "zip, stored": ("a.txt", zipped({"a.txt": TEXT}, zipfile.ZIP_STORED)),
    "zip from a pipe": ("b", zipped({"a.txt": b"first", "b": TEXT}, stream=True)),
    "zip from a pipe, stored": ("a.txt", zipped({"a.txt": TEXT}, zipfile.ZIP_STORED, stream=True)),
    "zip behind a program": ("a.txt", os.urandom(500) + zipped({"a.txt": TEXT})),
    "zip at the end of a picture": ("a.txt", png() + zipped({"a.txt": TEXT})),
    "zip in zip": ("in.zip/a.txt", zipped({"in.zip": zipped({"a.txt": TEXT})})),
    "zip in zip, stored": (
        "in.zip/a.txt",
        zipped({"in.zip": zipped({"a.txt": TEXT})}, zipfile.ZIP_STORED),
    ),
    "name in a zip": ("the names", zipped({f"{TOKEN}.txt": b"x"})),
    "docx": ("word/document.xml", docx(f"key: {TOKEN}")),
    "docx in three runs": ("word/document.xml", docx("it is ", TOKEN[:9], TOKEN[9:], " indeed")),
    "docx, letter by letter": ("word/document.xml", docx(*TOKEN)),
    "docx with hard hyphens": (
        "word/document.xml",
        docx(TOKEN.replace("-", "</w:t><w:noBreakHyphen/><w:t>")),
    ),
    "docx with entities": ("word/document.xml", docx(TOKEN.replace("-", "&#45;"))),
    "docx link": (
        "word/_rels/document.xml.rels",
        docx("x", extra={"word/_rels/document.xml.rels": f'<R T="https://x/?k={TOKEN}"/>'}),
    ),
    "docx attribute": ("word/document.xml", docx(f'</w:t><w:x w:val="{TOKEN}"/><w:t>')),
    "docx comment": ("word/document.xml", docx(f"<!-- {TOKEN} -->")),
    "docx in CDATA": ("word/document.xml", docx(f"<![CDATA[{TOKEN}]]>")),
    "docx in UTF-16": (
        "word/document.xml",
        zipped({"word/document.xml": f"<w:p {W}><w:t>{TOKEN}</w:t></w:p>".encode("utf-16")}),
    ),
    "docx without prefixes": (
        "word/document.xml",
        zipped(
            {
                "word/document.xml": f"<document {W[:5]}{W[7:]}><p><r><t>{TOKEN[:9]}</t></r>"
                f"<r><t>{TOKEN[9:]}</t></r></p></document>"
            }
        ),
    ),
    "docx in zip": ("a.docx/word/document.xml", zipped({"a.docx": docx(TOKEN[:9], TOKEN[9:])})),
    "docx in tar.gz": (
        "a.docx/word/document.xml",
        tarred({"a.docx": docx(TOKEN[:9], TOKEN[9:])}, "w:gz"),
    ),
    "xlsx, shared": (
        "xl/sharedStrings.xml",
        xlsx('<row><c t="s"><v>0</v></c></row>', f"<si><t>{TOKEN}</t></si>"),
    ),
    "xlsx, inline": (
        "xl/worksheets/sheet1.xml",
        xlsx(f'<row><c t="inlineStr"><is><t>{TOKEN}</t></is></c></row>'),
    ),
    "xlsx, inline in runs": (
        "xl/worksheets/sheet1.xml",
        xlsx(f"<row><c><is><r><t>{TOKEN[:9]}</t></r><r><t>{TOKEN[9:]}</t></r></is></c></row>"),
    ),
    "xlsx, result of a formula": (
        "xl/worksheets/sheet1.xml",
        xlsx(
            f'<row><c t="str"><f>A1&amp;B1</f><v>{TOKEN}</v></c></row>'.replace("B1</f>", "B1 </f>")
        ),
    ),
    "xlsx comment": (
        "xl/comments1.xml",
        zipped(
            {
                "xl/comments1.xml": f"<comments {SHEET}><comment><text><r><t>{TOKEN[:9]}</t></r>"
                f"<r><t>{TOKEN[9:]}</t></r></text></comment></comments>"
            }
        ),
    ),
    "pptx": ("ppt/slides/slide1.xml", pptx("a ", TOKEN[:9], TOKEN[9:])),
    "odt": ("content.xml", odt("a ", TOKEN[:9], TOKEN[9:])),
    "gz": ("the unpacked file", gzip.compress(TEXT)),
    "gz of two members": ("the unpacked file", gzip.compress(TEXT[:30]) + gzip.compress(TEXT[30:])),
    "gz with zeros behind": ("the unpacked file", gzip.compress(TEXT) + bytes(512)),
    "bz2": ("the unpacked file", bz2.compress(TEXT)),
    "xz": ("the unpacked file", lzma.compress(TEXT)),
    "zstd": ("the unpacked file", zstandard.compress(TEXT)),
    "tar": ("a/b.txt", tarred({"a/b.txt": TEXT})),
    "tar, ustar": ("a/b.txt", tarred({"x": b"1", "a/b.txt": TEXT}, format=tarfile.USTAR_FORMAT)),
    "tar.gz": ("a.txt", tarred({"a.txt": TEXT}, "w:gz")),
    "tar.bz2": ("a.txt", tarred({"a.txt": TEXT}, "w:bz2")),
    "tar.xz": ("a.txt", tarred({"a.txt": TEXT}, "w:xz")),
    "name in a tar": ("the names", tarred({f"dir/{TOKEN}": b"x"})),
    "long name in a tar": ("the names", tarred({"d" * 150 + TOKEN: b"x"})),
    "long GNU name in a tar": (
        "the names",
        tarred({"d" * 150 + TOKEN: b"x"}, format=tarfile.GNU_FORMAT),
    ),
    "PDF, literal": ("stream 1", pdf(stream(zlib.compress(page(f"({TOKEN}) Tj".encode()))))),
    "PDF, not packed": ("stream 1", pdf(stream(page(f"({TOKEN}) Tj".encode()), ""))),
    "PDF, not said to be packed": (
        "stream 1",
        pdf(stream(zlib.compress(page(f"({TOKEN}) Tj".encode())), "")),
    ),
    "PDF, kerned": ("stream 1", pdf(stream(zlib.compress(page(KERNED.encode()))))),
    "PDF, in hex": (
        "stream 1",
        pdf(stream(zlib.compress(page(b"<" + TOKEN.encode().hex(" ").encode() + b"> Tj")))),
    ),
    "PDF, two bytes a letter": (
        "stream 1",
        pdf(stream(zlib.compress(page(b"<" + TOKEN.encode("utf-16-be").hex().encode() + b"> Tj")))),
    ),
    "PDF, octal": ("stream 1", pdf(stream(zlib.compress(page(b"(" + ESCAPED + b") Tj"))))),
    "PDF, base 85": (
        "stream 1",
        pdf(
            stream(
                base64.a85encode(zlib.compress(page(f"({TOKEN}) Tj".encode()))) + b"~>",
                "/Filter [ /ASCII85Decode /FlateDecode ]",
            )
        ),
    ),
    "PDF, hex of a stream": (
        "stream 1",
        pdf(
            stream(page(f"({TOKEN}) Tj".encode()).hex().encode() + b">", "/Filter /ASCIIHexDecode")
        ),
    ),
    "PDF object stream": (
        "stream 1",
        pdf(stream(zlib.compress(f"1 0 2 9 << /Author ({TOKEN}) >>".encode()))),
    ),
    "PDF title": ("the document", pdf(info=f"(({TOKEN}\\))".encode())),
    "PDF title in UTF-16": (
        "the document",
        pdf(info=b"(" + TOKEN.encode("utf-16").replace(b"\xff\xfe", b"\xfe\xff\0")[:-1] + b")"),
    ),
    "PDF title in hex": (
        "the document",
        pdf(info=b"<FEFF" + TOKEN.encode("utf-16-be").hex().encode() + b">"),
    ),
    "PDF with a zip in it": (
        "stream 1/a.txt",
        pdf(
            stream(
                zlib.compress(zipped({"a.txt": TEXT})), "/Type /EmbeddedFile /Filter /FlateDecode"
            )
        ),
    ),
    "PNG tEXt": ("a tEXt chunk", png((b"tEXt", b"Comment\0" + TEXT))),
    "PNG zTXt": ("a zTXt chunk", png((b"zTXt", b"Comment\0\0" + zlib.compress(TEXT)))),
    "PNG iTXt": ("a iTXt chunk", png((b"iTXt", b"prompt\0\0\0en\0Frage\0" + TEXT))),
    "PNG iTXt, packed": (
        "a iTXt chunk",
        png((b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(TEXT))),
    ),
    "PNG keyword": ("a tEXt chunk", png((b"tEXt", TOKEN.encode() + b"\0x"))),
    "PNG in zip": (
        "p.png/a zTXt chunk",
        zipped({"p.png": png((b"zTXt", b"C\0\0" + zlib.compress(TEXT)))}),
    ),
    "old Word": ("the file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + os.urandom(600) + TEXT),
    "old Word, two bytes a letter": (
        "the file",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\x01\x02" * 3000
        + TEXT.decode().encode("utf-16-le"),
    ),
    "UTF-16 in zip": ("a.txt", zipped({"a.txt": TEXT.decode().encode("utf-16")})),
    "UTF-16 without mark in zip": ("a.txt", zipped({"a.txt": TEXT.decode().encode("utf-16-le")})),
    "Latin-1 in zip": ("a.txt", zipped({"a.txt": "é".encode("latin-1") * 5 + TEXT})),
    "binary in zip": (
        "a.bin",
        zipped({"a.bin": os.urandom(3000) + b"\0" + TEXT + os.urandom(3000)}),
    ),
}


@pytest.mark.parametrize("form", HOLDING)
def test_a_value_is_found_where_people_see_it(form: str) -> None:
    name, data = HOLDING[form]
    assert name in found(data)


@pytest.mark.parametrize("form", HOLDING)
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(form: str) -> None:
    data = HOLDING[form][1]
    step = max(1, len(data) // 150)
    for end in range(0, len(data), step):
        for name, text in texts_of(data[:end], budget()):
            assert isinstance(name, str)
            assert isinstance(text, bytes)


@pytest.mark.parametrize("form", HOLDING)
def test_a_file_with_any_byte_changed_is_read(form: str) -> None:
    data = HOLDING[form][1]
    chance = random.Random(form)  # noqa: S311 - for tests
    for _ in range(80):
        broken = bytearray(data)
        broken[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        for _ in texts_of(bytes(broken), budget()):
            pass


CUT_SAYS_SO = ["zip", "gz", "bz2", "xz", "zstd", "tar", "tar.gz", "PDF, literal", "PNG zTXt"]


@pytest.mark.parametrize("form", CUT_SAYS_SO)
def test_a_file_that_is_cut_short_is_said_to_be(form: str) -> None:
    spent = budget()
    data = HOLDING[form][1]
    ends = {"tar": 560, "PNG zTXt": 60, "PDF, literal": data.find(b"endstream") - 20}
    list(texts_of(data[: ends.get(form, len(data) // 2)], spent))
    assert spent.over


@pytest.mark.parametrize(
    "mark",
    [b"", b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd",
     b"%PDF-1.7 stream\r\n", b"\x89PNG\r\n\x1a\n", b"7z\xbc\xaf\x27\x1c", b"<w:document"],
)  # fmt: skip
@given(data=st.binary(max_size=600))
def test_any_bytes_are_read(mark: bytes, data: bytes) -> None:
    for form in (mark + data, mark + data + mark, data + mark):
        list(texts_of(form, budget()))


PDF_PARTS = [b"(", b")", b"\\", b"<", b">", b"<<", b"stream\n", b"endstream", b"obj", b"BT",
             b"Tj", b"/FlateDecode", b"/ASCII85Decode ", b"-250", b"a", b"\\12", b"x\x9c", b"4a",
             b"'"]  # fmt: skip
XML_PARTS = ["<w:p>", "</w:p>", "<w:t>", "<t>", "</si>", "<si/>", "<row>", "<c t='s'>", "<v>", "0",
             "</v>", "<", ">", "<!--", "-->", "<![CDATA[", "]]>", "&#x41;", "&", "a b"]  # fmt: skip


@given(st.lists(st.sampled_from(PDF_PARTS)))
def test_any_mix_of_what_a_pdf_is_made_of_is_read(parts: list[bytes]) -> None:
    list(texts_of(b"%PDF-1.4\n" + b"".join(parts), budget()))


@given(
    st.sampled_from(["<w:document>", "<worksheet>", "<sst>"]), st.lists(st.sampled_from(XML_PARTS))
)
def test_any_mix_of_what_office_files_are_made_of_is_read(root: str, parts: list[str]) -> None:
    spent = budget()
    list(
        texts_of(
            zipped({"a.xml": root + "".join(parts), "b": "<sst><si><t>x</t></si></sst>"}), spent
        )
    )
    assert not spent.over


def test_what_is_no_file_has_no_texts() -> None:
    for data in (b"", b"plain", b"{}", os.urandom(100)[1:], "ü".encode("utf-16")):
        assert read(data) == {}


def test_cells_of_a_row_stand_side_by_side() -> None:
    strings = "<si><t>api_key</t></si><si/><si><r><t>sec</t></r><r><t>ret &amp; more</t></r></si>"
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>2</v></c></row>'
        '<row r="2"><c r="A2"><v>1.5</v></c><c r="B2" t="s"><v>1</v></c><c t="s"><v>99</v></c>'
        '<c t="inlineStr"><is><t>in &lt;line</t></is></c></row>'
    )
    text = read(xlsx(rows, strings))["xl/worksheets/sheet1.xml"]
    assert text.strip() == b"api_key: secret & more\n1.5: in <line"


def test_paragraphs_and_what_floats_beside_text_stay_apart() -> None:
    text = read(docx("one</w:t></w:r></w:p><w:p><w:r><w:t>two</w:t><w:tab/><w:t>three</w:t>"
                     "<w:drawing><wp:offset>77</wp:offset></w:drawing><w:t>four"))  # fmt: skip
    assert text["word/document.xml"].split(b"<")[0].split() == [
        b"one",
        b"two",
        b"three",
        b"77",
        b"four",
    ]


def test_xml_that_is_no_document_keeps_its_elements_apart() -> None:
    text = "<notes><key>first</key><secret>second</secret></notes>"
    assert read(zipped({"a.xml": text}))["a.xml"] == text.encode()


def test_words_of_a_page_that_are_a_blank_apart_stay_apart() -> None:
    content = page(b"[(one) -250 (two)] TJ 0 -14 Td (th\\\nree \\(x\\)) Tj T* <666f7572> Tj")
    assert read(pdf(stream(content, "")))["stream 1"].split() == [
        b"one",
        b"two",
        b"three",
        b"(x)",
        b"four",
    ]


def test_names_are_shown_short_and_plain() -> None:
    names = list(read(zipped({"a\x1b[31m\n" + "b" * 200: b"text"})))
    assert names[0].isprintable()
    assert len(names[0]) <= 80


# Bounds.


def encrypted(data: bytes) -> bytes:
    return data.replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0")


UNREAD: dict[str, Callable[[], bytes]] = {
    "encrypted zip": lambda: encrypted(zipped({"a.txt": TEXT})),
    "bzip2 in zip": lambda: zipped({"a.txt": TEXT}, zipfile.ZIP_BZIP2),
    "lzma in zip": lambda: zipped({"a.txt": TEXT}, zipfile.ZIP_LZMA),
    "encrypted PDF": lambda: pdf(stream(os.urandom(50)), info=b"() >> /Encrypt << "),
    "LZW in PDF": lambda: pdf(stream(b"abc", "/Filter /LZWDecode")),
    "too many filters": lambda: pdf(stream(b"abc", "/Filter [" + "/FlateDecode " * 5 + "]")),
    "encrypted Office": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    ),
    "7z": lambda: b"7z\xbc\xaf\x27\x1c" + os.urandom(50),
    "RAR": lambda: b"Rar!\x1a\x07\x01\0" + os.urandom(50),
    "third nesting": lambda: zipped({"a": zipped({"b": zipped({"c": TEXT})})}),
    "gz in gz in gz": lambda: gzip.compress(gzip.compress(gzip.compress(TEXT))),
    "more members than are read": lambda: zipped({f"{n}.txt": b"x" for n in range(MEMBERS + 1)}),
    "more members in a tar": lambda: tarred({f"{n}.txt": b"x" for n in range(MEMBERS + 1)}),
    "a member too large": lambda: zipped({"a": bytes(MEMBER + 1)}),
    "a stored member too large": lambda: zipped({"a": bytes(MEMBER + 1)}, zipfile.ZIP_STORED),
    "a tar's member too large": lambda: tarred({"a": b" " * (MEMBER + 1)}),
    "a packed text too large": lambda: gzip.compress(b" " * (MEMBER + 1)),
    "all together too large": lambda: zipped(
        {f"{n}": b" " * MEMBER for n in range(FILES // MEMBER + 1)}
    ),
    "a tar.gz too large": lambda: tarred(
        {f"{n}": b" " * MEMBER for n in range(FILES // MEMBER + 1)}, "w:gz"
    ),
    "deflate bomb in PDF": lambda: pdf(stream(zlib.compress(bytes(MEMBER + 1), 9))),
    "deflate bomb in PNG": lambda: png((b"zTXt", b"C\0\0" + zlib.compress(bytes(MEMBER + 1), 9))),
    "a shared string in too many cells": lambda: xlsx(
        '<row><c t="s"><v>0</v></c></row>' * 5000, f"<si><t>{'x' * 2000}</t></si>"
    ),
}


@pytest.mark.parametrize("form", UNREAD)
def test_what_is_not_read_is_said(form: str) -> None:
    spent = budget()
    list(texts_of(UNREAD[form](), spent))
    assert spent.over


ALLOWED: dict[str, Callable[[], bytes]] = {
    "as many members": lambda: zipped({f"{n}.txt": b"x" for n in range(MEMBERS)}),
    "as large a member": lambda: zipped({"a": b" " * MEMBER}),
    "as large a packed text": lambda: gzip.compress(b" " * MEMBER),
    "as large a tar.gz": lambda: tarred(
        {f"{n}": b" " * MEMBER for n in range(FILES // MEMBER - 1)}, "w:gz"
    ),
    "many streams": lambda: pdf(*[stream(zlib.compress(page(b"(x) Tj")))] * 1000),
    "a directory": lambda: zipped({"a/": b"", "a/b": b"x"}),
    "an empty zip of a picture": lambda: png(),
}


@pytest.mark.parametrize("form", ALLOWED)
def test_what_is_within_bounds_is_read_whole(form: str) -> None:
    spent = budget()
    list(texts_of(ALLOWED[form](), spent))
    assert not spent.over


def zeros(mib: int) -> bytes:
    return bytes(mib << 20)


BOMBS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: zipped({"0": zeros(50)}),
    "many in a zip": lambda: zipped({f"{n}": zeros(5) for n in range(20)}),
    "zips in a zip": lambda: zipped(
        dict.fromkeys(map(str, range(100)), zipped({"0": zeros(50)})), zipfile.ZIP_STORED
    ),
    "10,000 members": lambda: zipped({f"{n}.txt": b"x" for n in range(10_000)}),
    "gz": lambda: gzip.compress(zeros(50)),
    "50,000 empty gz": lambda: gzip.compress(b"") * 50_000,
    "bz2": lambda: bz2.compress(zeros(50)),
    "xz": lambda: lzma.compress(zeros(50), preset=0),
    "PDF": lambda: pdf(*[stream(zlib.compress(zeros(5)))] * 50),
    "PNG": lambda: png(*[(b"zTXt", b"C\0\0" + zlib.compress(zeros(5)))] * 50),
}


@pytest.mark.parametrize("form", BOMBS)
def test_a_bomb_is_cut_off_in_size_and_in_time(form: str) -> None:
    data = BOMBS[form]()
    spent = budget()
    start = time.process_time()
    size = sum(len(text) for _, text in texts_of(data, spent))
    assert spent.over
    assert size <= FILES + len(data)
    assert time.process_time() - start < 3.0


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "heads of zip": lambda n: b"PK\3\4" * (n // 4) + b"PK\5\6",
    "heads of stored files": lambda n: (b"PK\3\4" + bytes(26)) * (n // 30),
    "heads of deflated files": lambda n: (b"PK\3\4" + b"\0\0\0\0\x08" + bytes(21)) * (n // 30),
    "brackets in PDF": lambda n: b"%PDF-1.4" + b"(" * n,
    "escaped brackets in PDF": lambda n: b"%PDF-1.4" + b"\\(" * (n // 2),
    "closed brackets in PDF": lambda n: b"%PDF-1.4" + b"()" * (n // 2),
    "hex in PDF": lambda n: b"%PDF-1.4" + b"<" * n,
    "open hex in PDF": lambda n: b"%PDF-1.4" + b"<a" * (n // 2),
    "streams in PDF": lambda n: b"%PDF-1.4" + b"stream\n" * (n // 7),
    "closed streams in PDF": lambda n: b"%PDF-1.4" + b"stream\nendstream" * (n // 16),
    "operators in PDF": lambda n: pdf(stream(b"BT Tj " + b"T*" * (n // 2), "")),
    "moves in PDF": lambda n: pdf(stream(b"BT Tj " + b"-" * n, "")),
    "tags": lambda n: zipped({"a": "<w:p><" + "<" * n + "</w:p>"}),
    "open tags": lambda n: zipped({"a": "<w:p>" + "<w:p " * (n // 5) + "</w:p>"}),
    "comments": lambda n: zipped({"a": "<w:p>" + "<!--" * (n // 4) + "</w:p>"}),
    "entities": lambda n: zipped({"a": "<w:p>" + "&#1;" * (n // 4) + "</w:p>"}),
    "text in one cell": lambda n: zipped({"a": "<worksheet>" + "<v>a" * (n // 4)}),
    "open cells": lambda n: zipped({"a": "<worksheet>" + "<c" * (n // 2)}),
    "strings": lambda n: zipped({"a": "<sst>" + "<t>" * (n // 3)}),
    "chunks": lambda n: png() + b"\0\0\0\0tEXt" * (n // 8),
    "blocks of tar": lambda n: tarred({"a": b"x"}) + bytes(n),
    "heads of tar": lambda n: tarred({"a": b""})[:512] * (n // 512),
}  # fmt: skip


@pytest.mark.parametrize("form", HOSTILE)
def test_time_grows_with_the_file_only(form: str) -> None:
    build = HOSTILE[form]

    def spent(size: int) -> float:
        data = build(size)
        start = time.process_time()
        for _ in texts_of(data, budget()):
            pass
        return time.process_time() - start

    small = min(spent(100_000) for _ in range(2))
    assert spent(800_000) < 8 * small * 4 + 0.2


class Late:
    """A clock that is always late."""

    at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        self.at += 100.0
        return self.at


@pytest.mark.parametrize("form", ["zip", "tar.gz", "gz", "docx", "PDF, literal", "PNG zTXt"])
def test_nothing_is_unpacked_after_the_deadline(form: str) -> None:
    spent = budget_for(0, Late())
    spent.deadline = 0.0
    texts = dict(texts_of(HOLDING[form][1], spent))
    assert spent.over
    assert not any(TOKEN.encode() in text for text in texts.values())


def test_what_one_file_took_is_missing_for_the_next() -> None:
    spent = budget()
    data = zipped({f"{n}": b" " * MEMBER for n in range(FILES // MEMBER)})
    list(texts_of(data, spent))
    assert not spent.over
    assert not any(TOKEN.encode() in text for _, text in texts_of(zipped({"a": TEXT}), spent))
    assert spent.over


# Any file's own text.


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_text_in_any_unicode_coding_with_a_mark_is_read(text: str) -> None:
    for coding in ("utf-16", "utf-32"):
        if text:
            assert as_text(text.encode(coding)).removeprefix(b"\xef\xbb\xbf") == text.encode()


@given(st.text("abcXYZ 0123-_\n", min_size=2))
def test_text_in_utf16_without_a_mark_is_read(text: str) -> None:
    assert as_text(text.encode("utf-16-le")) == text.encode()
    assert as_text(text.encode("utf-16-be")) == text.encode()


@given(st.text())
def test_utf8_stays_the_same_object(text: str) -> None:
    data = text.encode()
    if not data.count(0):
        assert as_text(data) is data


@given(st.binary())
def test_any_bytes_have_a_text_in_utf8(data: bytes) -> None:
    as_text(data).decode()


def test_latin_1_becomes_utf8() -> None:
    assert as_text("Schlüssel für alle".encode("latin-1")) == "Schlüssel für alle".encode()
