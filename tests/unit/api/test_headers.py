"""The SDK's summary keeps a few plain words of a client's headers, never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.headers import sdk_of, upstream_limits

PYTHON = [
    (b"X-Stainless-Lang", b"python"),
    (b"x-stainless-package-version", b"3.54.0"),
    (b"x-stainless-retry-count", b"2"),
    (b"user-agent", b"OpenAI/Python 3.54.0"),
]


@pytest.mark.parametrize(
    ("headers", "summary"),
    [
        (PYTHON, "python 3.54.0 retry 2"),
        (PYTHON[:2], "python 3.54.0"),
        (PYTHON[:1], "python"),
        ([PYTHON[0], PYTHON[2]], "python retry 2"),
        ([(b"user-agent", b"curl/8.5.0")], "curl 8.5.0"),
        ([(b"user-agent", b"OpenAI/JS 7.57.0")], "OpenAI JS"),
        ([(b"User-Agent", b"ai-sdk/6.0.1 (x; y)")], "ai-sdk 6.0.1"),
        ([], None),
        ([(b"user-agent", b"")], None),
        ([(b"user-agent", b"Mozilla")], None),
        ([(b"user-agent", b"a/b\x1b[2J")], None),
        ([(b"user-agent", b"x" * 33 + b"/1")], None),
        ([(b"user-agent", b"a/" + b"1" * 33)], None),
        ([(b"x-stainless-lang", b"py thon"), (b"user-agent", b"curl/1")], "curl 1"),
        ([(b"x-stainless-lang", b"js"), (b"x-stainless-package-version", b"<b>")], "js"),
        ([(b"x-stainless-lang", b"js"), (b"x-stainless-retry-count", b"-1")], "js"),
        ([(b"x-stainless-lang", b"js"), (b"x-stainless-retry-count", b"1234")], "js"),
        ([(b"x-stainless-lang", b"python\n")], None),
    ],
)
def test_the_summary_names_language_version_and_retry(headers, summary) -> None:
    assert sdk_of(headers) == summary


NAMES = st.sampled_from([name.lower() for name, _ in PYTHON])


@given(st.lists(st.tuples(NAMES, st.binary(max_size=60))))
def test_whatever_a_client_says_the_summary_stays_short_and_plain(headers) -> None:
    summary = sdk_of(headers) or ""
    assert len(summary) <= 32 + 1 + 32 + 1 + len("retry 999")
    assert (
        summary == ""
        or summary.replace(" ", "").replace(".", "").replace("-", "").replace("_", "").isalnum()
    )


def test_the_upstreams_limits_are_read_where_it_tells_them() -> None:
    told = {"x-ratelimit-limit-requests": "10000", "x-ratelimit-limit-tokens": "2000000"}
    assert upstream_limits(told) == {"rpm": 10_000, "tpm": 2_000_000}
    assert upstream_limits({"x-ratelimit-limit-requests": "many"}) is None
    assert upstream_limits({}) is None
