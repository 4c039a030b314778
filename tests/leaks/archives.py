"""Archives around one text."""

import gzip
import io
import tarfile
import zipfile
from typing import Final

DAY: Final = (2026, 11, 2, 9, 30, 0)
OTHER: Final = "Nothing to see here.\n" * 20


def packed(
    members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    """A zip; the same bytes for the same members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        archive.comment = comment
        for name, data in members.items():
            member = zipfile.ZipInfo(name, DAY)
            member.compress_type = how
            archive.writestr(member, data)
    return made.getvalue()


def zipped(text: str) -> bytes:
    return packed({"README.md": OTHER.encode(), "config/.env": text.encode()})


def stored(text: str) -> bytes:
    return packed({"a.txt": text.encode(), "b.txt": OTHER.encode()}, zipfile.ZIP_STORED)


def many(text: str) -> bytes:
    members = {f"src/file{n}.txt": (OTHER + str(n)).encode() for n in range(59)}
    return packed({**members, "src/last.txt": text.encode()})


def twice(text: str) -> bytes:
    return packed({"inner.zip": zipped(text), "b.txt": OTHER.encode()})


def named(secret: str) -> bytes:
    return packed({"a.txt": OTHER.encode(), f"logins/{secret}.txt": b"x"})


def commented(secret: str) -> bytes:
    return packed({"a.txt": OTHER.encode()}, comment=f"made with {secret}".encode())


def gzipped(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def tarred(text: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in (("a.txt", OTHER.encode()), ("app/.env", text.encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def tar_gz(text: str) -> bytes:
    return gzip.compress(tarred(text), mtime=0)
