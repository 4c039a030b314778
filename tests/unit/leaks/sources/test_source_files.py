"""On which line of a file something stands, and what of its name may be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.reading.ledger import Finding
from openai_gateway.leaks.sources import source_files
from openai_gateway.leaks.sources.source_files import Lines, look, look_at_name, without_secrets
from tests.support.planted import Always, Planted, fake

BITS = st.lists(st.sampled_from([b"\n", b"\r\n", b"x", b"\xc3\xa9", b"\0", b"long line "]))


@given(BITS.map(b"".join), st.data())
def test_a_line_is_one_more_than_the_line_ends_before(text: bytes, data: st.DataObject) -> None:
    lines = Lines(text)
    for at in data.draw(st.lists(st.integers(0, len(text)), max_size=4)):
        assert lines(at) == str(text[:at].count(b"\n") + 1)


def test_lines_of_a_long_text_are_counted_block_by_block() -> None:
    text = b"23 bytes on every line\n" * 20_000
    lines = Lines(text)
    for at in (400_000, 0, len(text), source_files.BLOCK, source_files.BLOCK - 1, 123_456):
        assert lines(at) == str(at // 23 + 1)


@given(st.lists(st.sampled_from(["", "words", "é", '"', "\\"]), max_size=8), st.booleans())
def test_a_secret_is_found_on_its_line_whatever_stands_before(
    before: list[str], crlf: bool
) -> None:
    end = "\r\n" if crlf else "\n"
    text = end.join([*before, f"key {fake()}", "behind"]).encode()
    found = look(text, "a", Planted(), Always("report"), SystemClock())
    assert [one.line for one in found.spotted] == [len(before) + 1]


def test_the_judge_is_asked_by_the_path() -> None:
    judge = Always("allow")
    look(f"\n{fake()}".encode(), "sub/a", Planted(), judge, SystemClock())
    look_at_name(f"sub/{fake()}", Planted(), judge)
    assert [finding.place for finding in judge.seen] == ["sub/a", f"sub/{fake()}"]


@pytest.mark.parametrize("done", ["block", "redact", "report"])
def test_all_that_is_not_allowed_is_told(done: str) -> None:
    def judge(_: Finding) -> str:
        return done

    found = look(fake().encode(), "a", Planted(), judge, SystemClock())  # type: ignore[arg-type]
    assert len(found.spotted) == 1


def test_a_path_is_told_without_what_is_found_in_it() -> None:
    assert without_secrets(f"a/{fake()}/b.txt", Planted()) == "a/[REDACTED:fake-key]/b.txt"
    assert without_secrets("a/b\udcff.txt", Planted()) == "a/b\udcff.txt"


@pytest.mark.parametrize(
    ("data", "fate"),
    [
        (b"", "read"),
        (b"text", "read"),
        (b"\0" * 500, "binary"),
        (b"\x01\x02\xff" * 500, "binary"),
        (b"\x01\x02\xff" * 500 + b"a readable stretch of text", "read"),
        (b"Rar!\x1a\x07\x00" + b"\x01\xff" * 500, "partly"),
    ],
)
def test_what_a_file_is_shows_in_its_content(data: bytes, fate: str) -> None:
    assert look(data, "a", Planted(), Always("report"), SystemClock()).fate == fate
