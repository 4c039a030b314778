"""Takes the texts out of files, told by their content and never by their names."""

from collections.abc import Iterator

from openai_gateway.leaks.budget import Budget


def texts_of(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """(name of the member, its text in UTF-8) of a zip, docx, xlsx, gz, tar, PDF, PNG …

    Nothing for what is no such file: its own bytes are the caller's to read, by `as_text`. Never
    raises for what a client sends; `budget.over` is set where something was not read. Names are
    cleaned (printable, short), and may themselves hold a secret; the text called `the names` of
    each archive has them whole.
    """
    del data, budget
    yield from ()


def as_text(data: bytes) -> bytes:
    """Any file's own text in UTF-8: UTF-16 and -32 with or without mark, Latin-1; what may be text
    of a binary. The same object where it is UTF-8."""
    return data
