"""Files in which a secret can stand, built by hand, and the two ways in which files are sent.

Office documents, PDF and PNG are small, with as much of their format as holds the text.
"""

import base64
from collections.abc import Callable
from random import Random
from typing import Final

from tests.leaks import archives, filler, papers
from tests.leaks.case import Place, Sent, chat, multipart, part, responses, upload
from tests.leaks.filler import told

type Holder = Callable[[str, Random], bytes]


def sent(name: str, media: str, hold: Holder) -> Place:
    """As a file's upload, as a container's file, or within the message as file_data."""

    def make(secret: str, chance: Random) -> Sent:
        data = hold(secret, chance)
        way = chance.randrange(4)
        if way == 0:
            file = part(f'name="file"; filename="{name}"', data, f"Content-Type: {media}")
            return multipart("/v1/containers/cntr_1/files", file)
        if way == 1:
            return chat(inline(name, media, data))
        return input_file(name, media, data) if way == 2 else upload(name, data, media)

    return make


def data_url(media: str, data: bytes) -> str:
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


def inline(name: str, media: str, data: bytes) -> list[object]:
    url = data_url(media, data)
    if media.startswith("image/"):
        return [{"type": "image_url", "image_url": {"url": url}}]
    return [{"type": "file", "file": {"filename": name, "file_data": url}}]


def input_file(name: str, media: str, data: bytes) -> Sent:
    url = data_url(media, data)
    one = {"type": "input_file", "filename": name, "file_data": url}
    if media.startswith("image/"):
        one = {"type": "input_image", "image_url": url}
    return responses([{"role": "user", "content": [one]}])


def notes(secret: str, chance: Random) -> str:
    """A short text, as a document has it."""
    return f"{filler.text(chance, 400)}\nlogin: {secret}\n{filler.sentence(chance)}\n"


def as_text(make: Callable[[str], bytes]) -> Holder:
    return lambda secret, chance: make(notes(secret, chance))


def notebook(secret: str, chance: Random) -> bytes:
    return papers.notebook([f"import shop\nshop.login('{secret}')\n", filler.listing(chance)])


ZIP: Final = "application/zip"
OFFICE: Final = "application/vnd.openxmlformats-officedocument"
DOCX: Final = f"{OFFICE}.wordprocessingml.document"
XLSX: Final = f"{OFFICE}.spreadsheetml.sheet"
PPTX: Final = f"{OFFICE}.presentationml.presentation"
PDF: Final = "application/pdf"
PNG: Final = "image/png"

FILES: Final[dict[str, Place]] = {
    "zip": sent("a.zip", ZIP, as_text(archives.zipped)),
    "zip, stored": sent("a.zip", ZIP, as_text(archives.stored)),
    "zip, last of 60": sent("a.zip", ZIP, as_text(archives.many)),
    "zip in zip": sent("a.zip", ZIP, as_text(archives.twice)),
    "zip, member's name": sent("a.zip", ZIP, lambda s, _: archives.named(s)),
    "zip, comment": sent("a.zip", ZIP, lambda s, _: archives.commented(s)),
    "zip of unknown type": sent("a.bin", "application/octet-stream", as_text(archives.zipped)),
    "docx": sent("a.docx", DOCX, lambda s, c: papers.docx([notes(s, c)])),
    "docx, runs": sent("a.docx", DOCX, papers.docx_runs),
    "docx, table": sent("a.docx", DOCX, lambda s, _: papers.docx_table(s)),
    "docx, header": sent("a.docx", DOCX, lambda s, _: papers.docx_header(s)),
    "xlsx, shared strings": sent("a.xlsx", XLSX, lambda s, _: papers.xlsx(s, shared=True)),
    "xlsx, inline strings": sent("a.xlsx", XLSX, lambda s, _: papers.xlsx(s, shared=False)),
    "pptx": sent("a.pptx", PPTX, lambda s, _: papers.pptx(s)),
    "gz": sent("a.env.gz", "application/gzip", as_text(archives.gzipped)),
    "tar": sent("a.tar", "application/x-tar", as_text(archives.tarred)),
    "tar.gz": sent("a.tgz", "application/gzip", as_text(archives.tar_gz)),
    "pdf": sent("a.pdf", PDF, lambda s, c: papers.pdf(papers.shown(notes(s, c)))),
    "pdf, Flate": sent("a.pdf", PDF, lambda s, c: papers.pdf(papers.shown(notes(s, c)), True)),
    "pdf, kerned": sent("a.pdf", PDF, papers.pdf_kerned),
    "pdf, octal escapes": sent("a.pdf", PDF, lambda s, _: papers.pdf(papers.octal(s), True)),
    "pdf, title": sent("a.pdf", PDF, lambda s, _: papers.pdf(papers.shown("Hi"), title=s)),
    "png, tEXt": sent("a.png", PNG, lambda s, _: papers.png(papers.png_text(s))),
    "png, zTXt": sent("a.png", PNG, lambda s, _: papers.png(papers.png_packed(s))),
    "png, iTXt": sent("a.png", PNG, lambda s, _: papers.png(papers.png_international(s, False))),
    "png, iTXt packed": sent(
        "a.png", PNG, lambda s, _: papers.png(papers.png_international(s, True))
    ),
    "notebook": sent("a.ipynb", "application/json", notebook),
    "markdown": sent("a.md", "text/markdown", lambda s, c: told(s, c).encode()),
}
