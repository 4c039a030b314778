"""A path is decoded once, and refused where two readers could take it differently."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.paths import BadPath, segments


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/v1/models", ("v1", "models")),
        (b"/v1/models/", ("v1", "models")),
        (b"/v1/models?limit=2", ("v1", "models")),
        (b"/v1/models/?a=/../%2f//&b=%zz", ("v1", "models")),
        (b"/v1/models/ft:gpt-4.1:acme::x", ("v1", "models", "ft:gpt-4.1:acme::x")),
        (b"/v1/%6dodels", ("v1", "models")),
        (b"/v1/files/a%20b", ("v1", "files", "a b")),
        (b"/v1/files/%e6%9d%b1", ("v1", "files", "東")),
        (b"/v1/files/...", ("v1", "files", "...")),
        (b"/v1/files/.a", ("v1", "files", ".a")),
        (b"/v1/files/a..", ("v1", "files", "a..")),
        (b"/v1/files/100%25", ("v1", "files", "100%")),
    ],
)
def test_a_plain_path_is_decoded_once(target: bytes, path: tuple[str, ...]) -> None:
    assert segments(target) == path


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        (b"", "begin with /"),
        (b"*", "begin with /"),
        (b"v1/models", "begin with /"),
        (b"https://api.openai.com/v1/models", "begin with /"),
        (b"?a=1", "begin with /"),
        (b"/", "empty"),
        (b"/?a", "empty"),
        (b"//", "//"),
        (b"//v1/models", "//"),
        (b"/v1//models", "//"),
        (b"/v1/models//", "//"),
        (b"/v1/./models", ". or .."),
        (b"/v1/models/..", ". or .."),
        (b"/v1/models/.", ". or .."),
        (b"/v1/../v1/organization", ". or .."),
        (b"/v1/%2e%2e/organization", ". or .."),
        (b"/v1/%2E./organization", ". or .."),
        (b"/v1/%2e/models", ". or .."),
        (b"/v1/models%2fx", "%2f"),
        (b"/v1/models%2Fx", "%2f"),
        (b"/v1/models%5cx", "backslash"),
        (b"/v1/models\\x", "backslash"),
        (b"/v1/models%00", "control"),
        (b"/v1/models%0d%0aHost:%20x", "control"),
        (b"/v1/models%7f", "control"),
        (b"/v1/models%c2%85", "control"),
        (b"/v1/models\x00", "control"),
        (b"/v1/models\r\n", "control"),
        (b"/v1/mod els", "space"),
        (b"/v1/models?a=\x1b", "control"),
        (b"/v1/models#x", "fragment"),
        (b"/v1/models?a#x", "fragment"),
        (b"/v1/mod\xc3\xa9ls", "ASCII"),
        (b"/v1/%252e%252e/x", "twice"),
        (b"/v1/models%252fx", "twice"),
        (b"/v1/%2541", "twice"),
        (b"/v1/models;a=1", ";"),
        (b"/v1/..;/organization", ";"),
        (b"/v1/models%3b", ";"),
        (b"/v1/models%3fa", "?"),
        (b"/v1/models%23a", "#"),
        (b"/v1/models%ff", "UTF-8"),
        (b"/v1/%c0%ae%c0%ae/x", "UTF-8"),
        (b"/v1/%c0%af", "UTF-8"),
        (b"/v1/%ed%a0%80", "UTF-8"),
        (b"/v1/models%", "begins no escape"),
        (b"/v1/models%2", "begins no escape"),
        (b"/v1/%zz", "begins no escape"),
        (b"/v1/%u002e", "begins no escape"),
        (b"/v1/" + b"a" * 2048, "longer"),
    ],
)
def test_a_doubtful_path_is_refused_by_its_rule(target: bytes, rule: str) -> None:
    with pytest.raises(BadPath) as refused:
        segments(target)
    assert rule in str(refused.value)


def test_the_message_never_repeats_the_path() -> None:
    with pytest.raises(BadPath) as refused:
        segments(b"/v1/sk-proj-FAKEFAKE%2f")
    assert "FAKE" not in str(refused.value)


SAFE = st.text(st.characters(codec="utf-8", exclude_characters="/\\;?#%",
                             exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)  # fmt: skip


@given(st.lists(SAFE.filter(lambda text: text not in (".", "..")), min_size=1, max_size=6))
def test_any_harmless_segments_survive_encoding_and_decoding(parts: list[str]) -> None:
    target = "".join("/" + quote(part, safe="") for part in parts).encode()
    assert segments(target) == tuple(parts)


@given(st.binary(max_size=60))
def test_no_segment_that_passes_could_be_read_as_another_path(tail: bytes) -> None:
    try:
        parts = segments(b"/v1/" + tail)
    except BadPath:
        return
    for part in parts:
        assert part not in ("", ".", "..")
        assert not set(part) & set("/\\;?#\x00\r\n")


def test_the_longest_path_is_judged_in_a_millisecond_or_so() -> None:
    target = b"/%61" * 512
    began = time.perf_counter()
    for _ in range(20):
        assert len(segments(target)) == 512
    assert (time.perf_counter() - began) / 20 < 0.02
