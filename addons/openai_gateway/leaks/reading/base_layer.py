"""Which runs of base64 and hex in a text hold text, and how such a run is written again.

All runs of a text are decoded together, at each alignment (what is glued before a run shifts it),
and those are kept that show a stretch of text. A run is written again in its own alphabet, padding
and lines, or not at all where it would not come out as it was.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from openai_gateway.leaks.reading.edits import Edit, applied
from openai_gateway.leaks.reading.run_layer import BASE64, MIB, Codec, Run, bodies_of, decoded, runs

# Longer runs are read at another alignment than their own only if samples of that look like text.
LONG: Final = 16 * 1024
SAMPLE: Final = 2048
# So many runs are decoded at a time, for a first look.
MANY: Final = 256
# Random bytes have such a stretch once in some million.
STRETCH: Final = 16
TEXT_RUN: Final = b"a" * STRETCH
IN_TEXT: Final = bytes(97 if 32 <= c < 127 or c in b"\t\r\n\0" else 32 for c in range(256))

SIGNS: Final = re.compile(rb"[+/_-]")
# What a file begins with, in base64: gzip, zip, PDF, PNG, and zlib at its four levels.
PACKED: Final = (b"H4sI", b"UEsD", b"JVBER", b"iVBOR", b"eJ", b"eN", b"eA", b"eF")
# JPEG, GIF, RIFF, MP3, Ogg, FLAC, Matroska, TIFF, and Fernet's version.
MEDIA: Final = (
    *(b"/9j/", b"R0lGOD", b"UklGR", b"SUQz", b"//s", b"//M", b"//I", b"T2dnUw", b"ZkxhQ"),
    *(b"GkXfo", b"SUkqA", b"TU0AK", b"gAAAA"),
)
FILES: Final = PACKED + MEDIA
HEX_DIGITS: Final = b"0123456789abcdefABCDEF"


@dataclass(frozen=True, slots=True)
class Coded:
    """What a run means from its letter `shift` on. `media`: an image or sound, by how it begins."""

    run: Run
    shift: int
    codec: Codec = field(repr=False)
    text: bytes = field(repr=False)
    media: bool = False

    @property
    def start(self) -> int:
        return self.run.start + self.run.place(self.shift)

    def rewritten(self, edits: Sequence[Edit]) -> Edit | None:
        """The run with these edits of its text; None where it cannot be written as it was."""
        run, codec, body = self.run, self.codec, self.run.body
        group = edits[0].start // codec.size
        head = self.shift + group * codec.letters
        like = body[head:] if SIGNS.search(body, head) else body
        if codec.encode(self.text[group * codec.size :], like) != body[head:]:
            return None
        fresh = codec.encode(applied(self.text, edits)[group * codec.size :], like)
        padded = (len(body) - self.shift + run.padding) % codec.letters == 0
        if padded:
            fresh += b"=" * (-len(fresh) % codec.letters)
        at = run.place(head)
        end = run.end if padded else run.end - run.padding
        return Edit(run.start + at, end, run.wrapped(body[:head] + fresh)[at:])


def coded(text: bytes, codec: Codec) -> Iterator[Coded]:
    """The runs of a text that may hold text, a file, or media."""
    if not is_promising(text, codec):
        return
    found = list(runs(text, codec))
    for run in found:
        if is_media(run, codec):
            yield Coded(run, 0, codec, decoded(run.body, codec), media=True)
    for shift in range(codec.letters) if found else ():
        for run in legible(found, shift, codec):
            yield Coded(run, shift, codec, decoded(run.body[shift:], codec))


def is_promising(text: bytes, codec: Codec) -> bool:
    """Whether any run shows something, told quickly: nearly all are names and hashes."""
    bodies = list(bodies_of(text, codec))
    if any(len(body) > LONG for body in bodies):
        return True
    if codec is BASE64:
        bodies = [body for body in bodies if body.translate(None, HEX_DIGITS)]
        if any(body.startswith(FILES) for body in bodies):
            return True
    for at in range(0, len(bodies), MANY):
        some = bodies[at : at + MANY]
        if any(shows_text(some, shift, codec) for shift in range(codec.letters)):
            return True
    return False


def shows_text(bodies: Sequence[bytes], shift: int, codec: Codec) -> bool:
    apart, letters = codec.apart, codec.letters
    whole = [apart + body[shift : len(body) - (len(body) - shift) % letters] for body in bodies]
    return TEXT_RUN in texts_in(b"".join(whole), codec)


def texts_in(body: bytes, codec: Codec) -> bytes:
    """Whole groups decoded, an `a` for each byte that may be text."""
    return codec.decode(body).replace(b"\0\0", b"\xff\xff").translate(IN_TEXT)


def is_media(run: Run, codec: Codec) -> bool:
    return codec is BASE64 and run.body.startswith(MEDIA)


def is_packed(run: Run, codec: Codec) -> bool:
    return codec is BASE64 and run.body.startswith(PACKED)


def legible(found: Sequence[Run], shift: int, codec: Codec) -> Iterator[Run]:
    """Those that show a stretch of text at this alignment, and files at their own.

    Media may hold texts of their own, but what is glued to them is at another alignment.
    """
    tried = [run for run in found if (is_worth_it(run, shift, codec) if shift
                                      else not is_media(run, codec))]  # fmt: skip
    for group in grouped(tried):
        shown = set(with_text([run.body[shift:] for run in group], codec))
        for number, run in enumerate(group):
            if number in shown or (not shift and is_packed(run, codec)):
                yield run


def grouped(found: Sequence[Run]) -> Iterator[list[Run]]:
    """Some at a time: decoding does not let others run."""
    group: list[Run] = []
    size = 0
    for run in found:
        group.append(run)
        size += len(run.body)
        if size > MIB:
            yield group
            group, size = [], 0
    if group:
        yield group


def is_worth_it(run: Run, shift: int, codec: Codec) -> bool:
    """Whether a run may be text at this alignment: short ones always, long ones by samples."""
    size = len(run.body)
    if size <= LONG:
        return True
    starts = (shift, size // 8 * 4 + shift, (size - SAMPLE) // 4 * 4 + shift)
    samples = [run.body[at : at + SAMPLE] for at in starts]
    return next(with_text(samples, codec), None) is not None


def with_text(bodies: Sequence[bytes], codec: Codec) -> Iterator[int]:
    """The numbers of those that show a stretch of text when decoded."""
    whole = [filled(body, codec) for body in bodies]
    classes = texts_in(b"".join(whole), codec)
    ends = list(accumulate(len(body) // codec.letters * codec.size for body in whole))
    at = classes.find(TEXT_RUN)
    while at >= 0:
        number = bisect_right(ends, at)
        yield number
        at = classes.find(TEXT_RUN, ends[number])


def filled(body: bytes, codec: Codec) -> bytes:
    """Whole groups, behind what keeps a run apart from the one before it."""
    return codec.apart + body[: len(body) // codec.letters * codec.letters]
