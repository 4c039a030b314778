"""Takes the texts out of files, told by their content and never by their names."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from openai_gateway.leaks.files import archives
from openai_gateway.leaks.files.office import office_texts
from openai_gateway.leaks.files.packed import Member, Unpacking
from openai_gateway.leaks.files.pdf import is_pdf, pdf_texts
from openai_gateway.leaks.files.plain import as_text
from openai_gateway.leaks.files.png import png_texts
from openai_gateway.leaks.reading.budget import Budget

__all__ = ["as_text", "texts_of"]

# A document in an archive; a packed tar is one archive.
NESTED: Final = 2

type Reader = Callable[[bytes, Unpacking], Iterator[Member]]


def texts_of(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """(name of the member, its text in UTF-8) of a zip, docx, xlsx, gz, tar, PDF, PNG …

    Nothing for what is no such file: its own bytes are the caller's to read, by `as_text`. Never
    raises for what a client sends; `budget.over` is set where something was not read. Names are
    cleaned (printable, short), and may themselves hold a secret; the text called `the names` of
    each archive has them whole.
    """
    job = Unpacking(budget)
    for read in readers_of(data):
        for member in read(data, job):
            yield from texts_in(member, job, 1)


def texts_in(member: Member, job: Unpacking, depth: int) -> Iterator[tuple[str, bytes]]:
    """The text of a member, or the texts in it where it is a file of files itself."""
    readers = [] if member.is_text else readers_of(member.data)
    if readers and depth >= NESTED:
        job.budget.over = True
        readers = []
    for read in readers:
        for inner in read(member.data, job):
            named = replace(inner, name=f"{member.name}/{inner.name}")
            yield from texts_in(named, job, depth + 1)
    if not readers and (text := member.data if member.is_text else as_text(member.data)):
        yield member.name, text


def readers_of(data: bytes) -> list[Reader]:
    """Who can read this: several for a file that is two at once, as a picture with a zip at its
    end; a zip's first member may be a PDF as it stands, and is read once."""
    found = [read for mark, read in MARKED if data.startswith(mark)]
    if archives.is_tar(data):
        found.append(archives.tarred)
    if archives.is_zip(data):
        found.append(zip_texts)
    if is_pdf(data) and not found:
        found.append(pdf_texts)
    return found


def zip_texts(data: bytes, job: Unpacking) -> Iterator[Member]:
    return office_texts(archives.zipped(data, job), job)


def unread(data: bytes, job: Unpacking) -> Iterator[Member]:
    """A file whose format nobody here reads: what of it is text, and that it was not read."""
    job.budget.over = True
    yield Member("the file", as_text(data), is_text=True)


def compound(data: bytes, job: Unpacking) -> Iterator[Member]:
    """Word and Excel of before 2007, whose texts stand in the clear; or encrypted ones of today."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        job.budget.over = True
    yield Member("the file", as_text(data), is_text=True)


MARKED: Final[tuple[tuple[bytes, Reader], ...]] = (
    (b"\x89PNG\r\n\x1a\n", png_texts),
    (b"\x1f\x8b\x08", archives.gzipped),
    (b"BZh", archives.bzipped),
    (b"\xfd7zXZ\0", archives.xzipped),
    (b"\x28\xb5\x2f\xfd", archives.zstandardized),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", compound),
    (b"7z\xbc\xaf\x27\x1c", unread),
    (b"Rar!\x1a\x07", unread),
)
