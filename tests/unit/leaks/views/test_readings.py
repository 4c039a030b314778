"""A value that was taken apart or spelled in codes stands whole in one of the odd views."""

import base64
import codecs
import os
import re
import textwrap
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.reading.budget import Budget, budget_for
from openai_gateway.leaks.views.codes import from_base32, from_codes
from openai_gateway.leaks.views.readings import OVERLAP, PIECE, odd_views, pieces
from openai_gateway.leaks.views.rejoin import (
    joined,
    spaced,
    squeezed,
    unmailed,
    unmarked,
    unwrapped,
)

TOKEN = "sk-" + "proj-" + "FAKEfake0123_-" * 4 + "Z9"
# As a rule looks for it: no letter or digit directly before or after.
BOUNDED = re.compile(rb"(?<![A-Za-z0-9_-])" + re.escape(TOKEN.encode()) + rb"(?![A-Za-z0-9_-])")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
values = st.text(LETTERS, min_size=20, max_size=120)


def budget(size: int = 0) -> Budget:
    return budget_for(size, SystemClock())


def kinds(text: str | bytes, wanted: re.Pattern[bytes] = BOUNDED) -> set[str]:
    """In which views a value is found."""
    data = text.encode() if isinstance(text, str) else text
    return {kind for kind, view in odd_views(data, budget(len(data))) if wanted.search(view)}


def cut(value: str, size: int) -> list[str]:
    return [value[at : at + size] for at in range(0, len(value), size)]


def added_up(value: str) -> str:
    return f'key = "{value[:3]}" + "{value[3:9]}" +\n      "{value[9:]}" and then'


def listed(value: str) -> str:
    return f"letters = {list(value)!r} # all"


def in_bold(value: str) -> str:
    return f"it is {value[:5]}**{value[5:]}** ok"


def wrapped(value: str) -> str:
    return "the value is\n\n" + "\n".join(cut(value, 20)) + "\n\nthat is all of it"


def indented(value: str) -> str:
    return "> first\n" + "\r\n".join(f">   {part}" for part in cut(value, 24)) + "\r\n> end, said"


def continued(value: str) -> str:
    return "export KEY=" + "\\\n".join(cut(value, 24)) + "\necho done with everything"


def prose(value: str) -> str:
    return "\n".join(cut(f"Here is the key of the staging project: {value} - keep it safe.", 60))


def hex_codes(value: str) -> str:
    return value.encode().hex(" ")


def dumped(data: bytes, line: Callable[[int, bytes], str]) -> str:
    return "\n".join(line(at, data[at : at + 16]) for at in range(0, len(data), 16)) + "\n"


def shown(data: bytes) -> str:
    return "".join(chr(c) if 32 <= c < 127 else "." for c in data)


def xxd(value: str) -> str:
    return dumped(
        value.encode(),
        lambda at, row: f"{at:08x}: {row.hex(' ', -2):<39}  {shown(row)}",
    )


def hexdump_c(value: str) -> str:
    return dumped(
        value.encode() + b"\n",
        lambda at, row: f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{shown(row)}|",
    )


def hexdump(value: str) -> str:
    data = value.encode() + b"\n" * (2 - len(value) % 2)
    return dumped(
        data,
        lambda at, row: f"{at:07x} " + " ".join(
            row[i : i + 2][::-1].hex() for i in range(0, len(row), 2)
        ),
    )  # fmt: skip


ODD: dict[str, tuple[str, Callable[[str], str]]] = {
    "added up": ("joined", added_up),
    "added up in single quotes": ("joined", lambda v: added_up(v).replace('"', "'")),
    "concatenated by points": ("joined", lambda v: added_up(v).replace(" + ", " . ", 1)),
    "side by side": ("joined", lambda v: f'x("{v[:9]}" "{v[9:]}");'),
    "list of letters": ("joined", listed),
    "in bold": ("joined", in_bold),
    "wrapped": ("unwrapped", wrapped),
    "quoted and indented": ("unwrapped", indented),
    "continued by a backslash": ("unwrapped", continued),
    "wrapped in prose": ("unwrapped", prose),
    "spaced": ("spaced", lambda v: "it is " + " ".join(v)),
    "spaced by commas": ("spaced", lambda v: "it is: " + ", ".join(v) + "."),
    "spaced wide": ("spaced", lambda v: "so   " + "   ".join(v) + "\n"),
    "one letter a line": ("spaced", lambda v: "\n".join(v)),
    "apart by points": ("spaced", lambda v: ".".join(v)),
    "reversed": ("reversed", lambda v: f"read it backwards: {v[::-1]}!"),
    "ROT13": ("ROT13", lambda v: f"rot13: {codecs.encode(v, 'rot13')}"),
    "quoted-printable": ("quoted-printable", lambda v: "".join(f"={ord(c):02X}" for c in v)),
    "soft breaks": ("quoted-printable", lambda v: "key\n" + "=\r\n".join(cut(v, 20)) + "\r\nend"),
    "crossed out": ("marks", lambda v: "no: " + "".join(c + "\u0336" for c in v)),
    "hex with blanks": ("codes", hex_codes),
    "hex with colons": ("codes", lambda v: hex_codes(v).replace(" ", ":")),
    "hex with 0x": ("codes", lambda v: ", ".join(f"0x{ord(c):02x}" for c in v)),
    "hex in capitals": ("codes", lambda v: "bytes: " + hex_codes(v).upper()),
    "hex, wrapped": ("codes", lambda v: "\n".join(cut(v.encode().hex(), 60))),
    "code points": ("codes", lambda v: " ".join(f"U+{ord(c):04X}" for c in v)),
    "xxd": ("codes", xxd),
    "hexdump -C": ("codes", hexdump_c),
    "hexdump": ("codes", hexdump),
    "decimal": ("codes", lambda v: "[" + ", ".join(str(ord(c)) for c in v) + "]"),
    "decimal, three digits": ("codes", lambda v: " ".join(f"{ord(c):03d}" for c in v)),
    "chr()": ("codes", lambda v: " + ".join(f"chr({ord(c)})" for c in v)),
    "fromCharCode": ("codes", lambda v: f"fromCharCode({','.join(str(ord(c)) for c in v)})"),
    "octal": ("codes", lambda v: " ".join(f"{ord(c):03o}" for c in v)),
    "binary": ("codes", lambda v: " ".join(f"{ord(c):08b}" for c in v)),
    "binary, seven digits": ("codes", lambda v: " ".join(f"{ord(c):07b}" for c in v)),
    "binary, by nibbles": (
        "codes",
        lambda v: " ".join(part for c in v for part in cut(f"{ord(c):08b}", 4)),
    ),
    "binary in one": ("codes", lambda v: "".join(f"{ord(c):08b}" for c in v)),
    "base32": ("base32", lambda v: base64.b32encode(v.encode()).decode()),
    "base32, lower, unpadded": (
        "base32",
        lambda v: base64.b32encode(v.encode()).decode().lower().rstrip("="),
    ),
    "base32, wrapped": (
        "base32",
        lambda v: "\n".join(textwrap.wrap(base64.b32encode(v.encode()).decode(), 60)),
    ),
    "base64 in codes": (
        "codes of base64 or hex",
        lambda v: " ".join(str(c) for c in base64.b64encode(v.encode())),
    ),
    "base64 in hex with colons": (
        "codes of base64 or hex",
        lambda v: base64.b64encode(v.encode()).hex(":"),
    ),
}


@pytest.mark.parametrize("form", ODD)
def test_a_value_is_found_in_its_view(form: str) -> None:
    kind, write = ODD[form]
    assert kind in kinds(write(TOKEN))


@pytest.mark.parametrize("form", ODD)
def test_a_value_is_found_in_the_middle_of_a_long_text(form: str) -> None:
    kind, write = ODD[form]
    filler = "Some text that goes before, and says nothing. (So it is.)\n" * 8000
    assert kind in kinds(f"{filler}\n\n{write(TOKEN)}\n\n{filler}")


@pytest.mark.parametrize("form", ["reversed", "decimal", "xxd", "base32", "added up", "wrapped"])
@pytest.mark.parametrize("back", [0, 1, 100, 1000, OVERLAP - 10])
def test_a_value_over_the_seam_of_two_pieces_is_found(form: str, back: int) -> None:
    kind, write = ODD[form]
    before = ("." * 78 + ".\n") * (PIECE // 80)
    text = before[: PIECE - back - 2] + ".\n" + write(TOKEN) + "\n" + before
    assert kind in kinds(text)


def test_squeezing_takes_out_what_stands_between() -> None:
    assert squeezed(b"( \"sk-\" +\\n\t'proj', [x]*2 )") == b"sk-projx2"


EXACT: dict[str, tuple[Callable[[bytes], Iterator[bytes]], Callable[[str], str]]] = {
    "spaced": (spaced, lambda v: " ".join(v)),
    "listed": (joined, lambda v: repr(list(v))),
    "marks": (unmarked, lambda v: "\u0301".join(v) + "\u0301"),
    "quoted-printable": (unmailed, lambda v: "".join(f"={ord(c):02X}" for c in v)),
    **{form: (from_codes, write) for form, (kind, write) in ODD.items() if kind == "codes"},
    **{form: (from_base32, write) for form, (kind, write) in ODD.items() if kind == "base32"},
}


@given(value=values)
@pytest.mark.parametrize("form", EXACT)
def test_what_is_written_oddly_is_read_back(form: str, value: str) -> None:
    read, write = EXACT[form]
    if form == "spaced" and (
        not value.strip("0123456789-_") or not re.search("[A-Za-z0-9]{8}", value)
    ):
        return
    if form == "hex, wrapped" and len(value) <= 30:
        return
    assert any(value.encode() in view for view in read(write(value).encode()))


@given(value=values)
def test_reversed_and_rot13_are_their_own_inverse(value: str) -> None:
    views = dict(odd_views(value.encode(), budget()))
    assert views["reversed"][::-1] == value.encode()
    assert codecs.encode(views["ROT13"].decode(), "rot13") == value


@given(value=values, width=st.integers(12, 70))
def test_a_wrapped_value_is_put_together(value: str, width: int) -> None:
    text = "\n".join(cut(value, width))
    if len(value) % width == 1 or len(value) <= width:
        return
    assert value.encode() in b"\n".join(unwrapped(text.encode()))


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_and_no_view_is_longer(data: bytes) -> None:
    for _, view in odd_views(data, budget()):
        assert len(view) <= len(data)


@given(
    st.lists(st.sampled_from([*"aF0179zZ.,:=\"'+\\ \n-", "0x", "chr(", "  ", "\r\n", "é", "=\n"]))
)
def test_any_mix_of_what_hints_at_codes_is_read(parts: list[str]) -> None:
    data = "".join(parts).encode() * 3
    for _, view in odd_views(data, budget()):
        assert len(view) <= len(data)


@given(st.integers(0, 4 * PIECE))
def test_pieces_cover_the_text_and_overlap(size: int) -> None:
    at = 0
    whole = list(pieces(bytes(size)))
    for piece in whole[:-1]:
        assert len(piece) == PIECE
        at += PIECE - OVERLAP
    assert at + len(whole[-1]) == size
    assert len(whole) == 1 or len(whole[-1]) > OVERLAP


def test_a_short_text_has_no_views() -> None:
    assert list(odd_views(b"too short", budget())) == []


PLAIN = [
    'Please write a short poem about the sea, and "nothing" else; it\'s for 12 children.\n' * 20,
    "Съешь же ещё этих мягких французских булок, да выпей чаю.\n" * 20,
    "今日は良い天気ですね。" * 40,
    '{"embedding": [0.0023064255, -0.009327292, 0.015797347, -0.0077780345]}' * 20,
    base64.b64encode(os.urandom(4000)).decode(),
    "| a | b |\n|-----------------|- - - - - - - - -|\n" * 20,
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by someone\n" * 20,
]


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_text_has_few_views_and_costs_no_budget(text: str) -> None:
    spent = budget()
    left = spent.bytes_left
    found = {kind for kind, _ in odd_views(text.encode(), spent)}
    assert found <= {"squeezed", "reversed", "ROT13", "joined"}
    assert (spent.bytes_left, spent.over) == (left, False)


def test_coded_views_are_paid_for_and_left_out_where_the_budget_ends() -> None:
    text = (hex_codes(TOKEN) * 20).encode()
    paid, poor = budget(), budget()
    assert "codes" in {kind for kind, _ in odd_views(text, paid)}
    assert paid.bytes_left < poor.bytes_left
    poor.bytes_left = 10
    assert "codes" not in {kind for kind, _ in odd_views(text, poor)}
    assert poor.over
    assert not paid.over


class Stopped:
    """A clock that is told when it is late."""

    at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def test_no_further_piece_is_read_after_the_deadline() -> None:
    clock = Stopped()
    late = budget_for(0, clock)
    text = b"a line of text \n" * 100_000
    count = 0
    for kind, _ in odd_views(text, late):
        count += kind == "reversed"
        clock.at = 1000.0
    assert count == 1
    assert late.over


HOSTILE = {
    "quotes": b'"',
    "open quotes": b'" ',
    "backslashes": b"\\",
    "line ends": b"\n",
    "long words": b"aaaaaaaa\n",
    "shrinking lines": b"aaaaaaaaaaaa\nb",
    "letters": b"a ",
    "letters by mixed gaps": b"a, b; ",
    "dashes": b"-_ ",
    "rules": b"-",
    "digits": b"1 ",
    "pairs": b"73 ",
    "odd words": b"735 ",
    "bits": b"01",
    "bits apart": b"0 1",
    "base32": b"ABCDEFG2",
    "equals": b"=41=42=43=\n",
    "marks": b"a\xcc\xb6",
    "dump": b"00000000: 7373  aa\n",
    "calls": b"chr(0x7",
    "zeros": b"\0",
}


@pytest.mark.parametrize("form", HOSTILE)
def test_time_grows_with_the_text_only(form: str) -> None:
    unit = HOSTILE[form]

    def spent(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        start = time.process_time()
        for _ in odd_views(text, budget(size)):
            pass
        return time.process_time() - start

    small = min(spent(PIECE // 8) for _ in range(2))
    assert spent(PIECE) < 8 * small * 4 + 0.2
