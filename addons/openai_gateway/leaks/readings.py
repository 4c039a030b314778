"""The odd views of a text, in which a value that was taken apart or spelled in codes shows.

For strong rules only: what is found in a view has no place to be replaced in.
"""

from collections.abc import Iterator

from openai_gateway.leaks.budget import Budget


def odd_views(text: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """(kind, view): squeezed, joined, reversed, ROT13 always; codes, dumps, base32,
    quoted-printable, look-alikes where something hints at them."""
    del text, budget
    yield from ()
