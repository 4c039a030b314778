"""How files are shared out, and which of their secrets count."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.rules.rule import Rule, RulesFault
from openai_gateway.leaks.sources.source_files import Source
from openai_gateway.leaks.sources.source_judge import Terms, is_on, read
from openai_gateway.leaks.sources.source_scan import BYTES, FILES, batched, scan

TERMS = Terms((Rule("made-key", "A made key", "MADE-[a-z0-9]{20}"),), (), 1000)
BROKEN = Terms((Rule("broken", "A pattern that is none", "("),), (), 1000)


def made(number: int) -> str:
    return "MADE-" + hashlib.sha256(b"made %d" % number).hexdigest()[:20]


@given(st.lists(st.integers(0, BYTES * 2), max_size=200))
def test_batches_hold_each_once_in_order_and_are_small(sizes: list[int]) -> None:
    sources = [Source(str(number), size) for number, size in enumerate(sizes)]
    batches = list(batched(sources))
    assert [one for batch in batches for one in batch] == sources
    for batch in batches:
        assert 0 < len(batch) <= FILES
        assert len(batch) == 1 or sum(one.size for one in batch) <= BYTES


@given(st.lists(st.integers(1, 5), max_size=10), st.integers(0, 60))
def test_a_line_is_on_one_of_the_ranges(steps: list[int], line: int) -> None:
    ranges: list[tuple[int, int]] = []
    at = 0
    for step in steps:
        ranges.append((at + step, at + step + step // 2))
        at = ranges[-1][1]
    expected = any(first <= line <= last for first, last in ranges)
    assert is_on(line, tuple(ranges)) == expected


def test_nothing_to_look_at_compiles_nothing() -> None:
    assert list(scan([], BROKEN, 2)) == []
    with pytest.raises(RulesFault):
        list(scan([Source("a", 1, "a")], BROKEN, 2))


@pytest.mark.parametrize("count", [3, FILES + 3])
def test_one_core_looks_at_all_of_them(tmp_path: Path, count: int) -> None:
    sources = []
    for number in range(count):
        file = tmp_path / str(number)
        file.write_text(f"{number}\n{made(number)}" if number else "x" * 1001)
        sources.append(Source(str(number), 20, str(file)))
    found = list(scan(sources, TERMS, 1))
    assert [one.path for one in found] == [source.path for source in sources]
    # It has grown since its size was asked.
    assert found[0].fate == "large"
    assert all([spotted.line for spotted in one.spotted] == [2] for one in found[1:])


def test_what_is_gone_by_now_is_unreadable(tmp_path: Path) -> None:
    (found,) = scan([Source("a", 1, str(tmp_path / "a"))], TERMS, 1)
    assert (found.fate, found.why) == ("unreadable", "No such file or directory")


def test_only_files_are_read_and_no_more_than_asked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    assert read(str(tmp_path / "a"), 3) == b"123"
    for name in ("link", "pipe", "."):
        with pytest.raises(OSError, match=r".+"):
            read(str(tmp_path / name), 3)
