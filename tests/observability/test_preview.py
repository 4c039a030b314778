"""What the preview draws is what was answered; its numbers worked out by hand."""

import struct
import zlib
from pathlib import Path

import pytest

from tests.observability.preview.answers import Span, legend, merge, shown
from tests.observability.preview.palette import SIGNATURE, chunk, chunks, pixels, shrink

ROW = b"\x0a\x14\x1e" * 2 + b"\xff\x00\x80"  # three pixels of two colours


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (90, "s", "1.5 mins"),
        (0.0783, "percentunit", "7.83%"),
        (1234.5, "currencyUSD", "$1,234"),
        (1260, "short", "1.26 K"),
        (2.5, "reqps", "2.5 req/s"),
        (3 * 2**20, "bytes", "3 MiB"),
    ],
)
def test_a_number_is_shown_in_its_unit(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_a_series_is_named_by_its_labels() -> None:
    assert legend("{{rule}}: {{action}}", {"rule": "pat", "action": "blocked"}) == "pat: blocked"


def test_columns_of_one_model_are_one_row() -> None:
    rows: list[dict[str, object]] = []
    merge(rows, "cost", [({"model": "a"}, [(0.0, 2.0)]), ({"model": "b"}, [(0.0, 1.0)])])
    merge(rows, "calls", [({"model": "b"}, [(0.0, 7.0)]), ({"model": "c"}, [(0.0, 3.0)])])
    assert rows == [
        {"model": "a", "cost": 2.0},
        {"model": "b", "cost": 1.0, "calls": 7.0},
        {"model": "c", "calls": 3.0},
    ]


def test_the_time_shown_is_the_range_of_a_query() -> None:
    assert Span(100.0, 220.4).values["__range"] == "120s"


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        (0, ROW),
        (1, ROW[:3] + b"\0\0\0" + bytes((one - other) & 255 for one, other in
                                        zip(ROW[6:], ROW[3:6], strict=True))),
        (2, bytes(9)),
        (4, bytes(9)),  # of left, above and corner the row above is the nearest
    ],
)  # fmt: skip
def test_a_picture_keeps_its_colours(tmp_path: Path, kind: int, second: bytes) -> None:
    head = struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + ROW + bytes([kind]) + second)
    whole = b"".join((chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")))
    picture = tmp_path / "two.png"
    picture.write_bytes(SIGNATURE + whole)
    assert pixels(picture.read_bytes()) == (3, [ROW, ROW])
    shrink(picture)
    parts = dict(chunks(picture.read_bytes()))
    colours = [parts[b"PLTE"][at : at + 3] for at in range(0, len(parts[b"PLTE"]), 3)]
    drawn = zlib.decompress(parts[b"IDAT"])
    assert [drawn[0], drawn[4]] == [0, 0]
    assert b"".join(colours[one] for one in drawn[1:4] + drawn[5:8]) == ROW * 2
