"""Reads the XML of Word, PowerPoint, Excel and OpenDocument as people see it.

One value may lie in many runs (an editor cuts them as it likes), so the runs of a paragraph are
joined; cells of a row stand side by side, as a name and its value do. A scan over bytes: a parser
of XML would expand entities.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from openai_gateway.content.fold import ENTITY, unentity
from openai_gateway.leaks.files.packed import Member, Unpacking
from openai_gateway.leaks.files.plain import as_text
from openai_gateway.leaks.reading.budget import MEMBER

HEAD: Final = 4096
ROOT: Final = re.compile(rb"<(?:[A-Za-z0-9_-]{1,40}:)?([A-Za-z][A-Za-z0-9-]{0,40})[\s/>]")
# Roots of texts whose paragraphs need not carry a prefix.
DOCUMENTS: Final = frozenset(
    {b"document", b"hdr", b"ftr", b"footnotes", b"endnotes", b"comments", b"sld", b"notes"}
)
OPEN_XML: Final = re.compile(rb"openxmlformats|/ooxml/")
PARAGRAPH: Final = re.compile(rb"</[A-Za-z0-9]{1,20}:(?:p|h)>")
_NAME: Final = rb"(?:[A-Za-z0-9]{1,20}:)?"
# Where a line ends; tabs and blanks; then what stands within a word and what does not.
BREAK: Final = re.compile(
    rb"</?" + _NAME + rb"(?:p|h|br|cr|tr|tc|si|row|line-break|table-cell)(?=[\s/>])[^<>]*>"
)
BLANK: Final = re.compile(rb"<" + _NAME + rb"(?:tab|s)(?=[\s/>])[^<>]*>")
HYPHEN: Final = re.compile(rb"<" + _NAME + rb"noBreakHyphen(?=[\s/>])[^<>]*>")
INLINE: Final = re.compile(
    rb"</?(?:(?:w(?:\d{2}[a-z]{0,3})?|a(?:\d{2})?|text):)?[A-Za-z0-9-]{1,40}(?=[\s/>])[^<>]*>"
)
TAG: Final = re.compile(rb"<[^<>]*>")
# Values of attributes may be links with passwords; shorter tags say how a text looks.
TELLING: Final = re.compile(rb"<[^<>]{24,}>")
CDATA: Final = re.compile(rb"<!\[CDATA\[|\]\]>")
COMMENT: Final = re.compile(rb"<!--|-->")

STRING_END: Final = re.compile(rb"</" + _NAME + rb"si>|<" + _NAME + rb"si/>")
TEXT: Final = re.compile(rb"<" + _NAME + rb"t(?=[\s>])[^<>]*>([^<]*)")
# A row, a cell, its value, its inline text, its formula: attributes and the text that follows.
CELL: Final = re.compile(rb"<" + _NAME + rb"(row|c|v|t|f)(?=[\s/>])([^<>]*)>([^<]*)")
SHARED: Final = re.compile(rb"""\bt=["']s["']""")
LONGEST_INDEX: Final = 7
# A string that many cells show: as much of it in each. The whole is read once, where it is kept.
LONGEST_SHOWN: Final = 1024


def office_texts(members: Iterable[Member], job: Unpacking) -> Iterator[Member]:
    """The members of a zip, with those of office files as their texts. Sheets come last."""
    sheets: list[Member] = []
    strings: list[bytes] = []
    for member in members:
        root = root_of(as_text(member.data[:HEAD]))
        data = as_text(member.data) if root else b""
        if root == b"worksheet":
            sheets.append(Member(member.name, data))
        elif root == b"sst":
            strings = shared_strings(data)
            yield Member(member.name, b"\n".join(strings), is_text=True)
        elif is_document(root, data):
            yield Member(member.name, paragraphs(data), is_text=True)
        else:
            yield member
    for sheet in sheets:
        yield Member(sheet.name, rows(sheet.data, strings, job), is_text=True)


def root_of(head: bytes) -> bytes:
    """The name of the first element without its prefix; nothing for what is no XML."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return b""
    found = ROOT.search(head)
    return found[1] if found else b""


def is_document(root: bytes, data: bytes) -> bool:
    if root in DOCUMENTS and OPEN_XML.search(data, 0, HEAD):
        return True
    return bool(root) and PARAGRAPH.search(data) is not None


def paragraphs(data: bytes) -> bytes:
    """The text with a line for each paragraph, and what tags tell after it."""
    data = COMMENT.sub(b"\n", CDATA.sub(b"", data))
    telling = dict.fromkeys(tag for tag in TELLING.findall(data) if b"=" in tag)
    text = HYPHEN.sub(b"-", BLANK.sub(b"\t", BREAK.sub(b"\n", data)))
    text = TAG.sub(b"\n", INLINE.sub(b"", text))
    return entities(b"\n".join((text, *telling)))


def entities(text: bytes) -> bytes:
    return unentity(text) if b"&" in text and ENTITY.search(text) else text


def shared_strings(data: bytes) -> list[bytes]:
    """The strings that cells name by their number."""
    whole = STRING_END.split(CDATA.sub(b"", data))
    return [entities(b"".join(TEXT.findall(one))) for one in whole]


def rows(data: bytes, strings: list[bytes], job: Unpacking) -> bytes:
    """A line for each row, its cells as `name: value`."""
    shown: list[bytes] = []
    is_shared, gap, size = False, b"", 0
    for kind, attributes, text in CELL.findall(CDATA.sub(b"", data)):
        if kind == b"row":
            gap = b"\n"
        elif kind == b"c":
            is_shared = SHARED.search(attributes) is not None
            gap = gap or b": "
        elif fresh := value(text, strings if is_shared and kind == b"v" else None):
            size += len(fresh)
            if size > MEMBER:
                job.budget.over = True
                break
            shown += (gap, fresh)
            gap = b""
    return b"".join(shown)


def value(text: bytes, strings: list[bytes] | None) -> bytes:
    """What a cell shows: its text, or the string that it names by its number."""
    if strings is None:
        return entities(text)
    if not text.isdigit() or len(text) > LONGEST_INDEX or int(text) >= len(strings):
        return b""
    return strings[int(text)][:LONGEST_SHOWN]
