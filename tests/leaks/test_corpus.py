"""The corpus holds what it says: each secret can be read back, harmless requests hold none."""

import re
import time
from collections import Counter

import pytest

from openai_gateway.bodies.stage import ReadContent
from openai_gateway.core.call import Call
from openai_gateway.core.corridor import ask
from openai_gateway.core.verdict import Pass
from tests.leaks.case import Case
from tests.leaks.corpus import EACH, SEED, corpus, families
from tests.leaks.subject import call_of
from tests.leaks.undo import recovered

CASES = list(corpus(SEED))
POSITIVE = [case for case in CASES if case.secret is not None]
HARMLESS = [case for case in CASES if case.secret is None]
# How keys begin; in harmless requests only where documentation leaves them unfinished.
KEYS = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|xox[bp]-\d{10}|(?<!\w)AKIA[A-Z2-7]{16}(?!\w)|SG\.[\w-]{22}\.|"
    r"sk-(?:proj|ant|svcacct|admin)-[\w-]{20}|npm_[A-Za-z0-9]{36}|gsk_[A-Za-z0-9]{52}|hf_[A-Za-z]{34}|"
    r"sk_live_|whsec_|dop_v1_[0-9a-f]{64}|PRIVATE KEY-----\n|pypi-AgE|AGE-SECRET-KEY-1[A-Z0-9]{9}"
)
MAY_LOOK_SO = {
    "presigned address, S3": "an id of AWS in the address",
    "presigned picture": "an id of AWS in the address",
    "env template": "placeholders of x",
}


def test_it_has_the_size_and_the_spread_that_are_published() -> None:
    assert 1_000 <= len(CASES) <= 1_500
    count = Counter(group for group in EACH for _ in families(group))
    assert count["kinds"] >= 110
    assert count["places"] >= 60
    assert count["benign"] >= 46
    sizes = sorted(len(case.sent.body) for case in CASES if case.sent.body)
    assert sizes[0] < 300
    assert 800_000 < sizes[-1] < 1_100_000
    assert len({case.id for case in CASES}) == len(CASES)


def test_a_seed_gives_the_same_bytes_again_and_another_seed_other_ones() -> None:
    groups = ("kinds", "files")
    first = list(corpus(7, groups=groups))
    assert first == list(corpus(7, groups=groups))
    other = list(corpus(8, groups=groups))
    assert [case.id for case in first] == [case.id for case in other]
    assert all(a.secret != b.secret for a, b in zip(first, other, strict=True))


def test_it_is_made_within_a_few_seconds() -> None:
    began = time.process_time()
    assert sum(len(case.sent.body) for case in corpus(3)) > 10_000_000
    assert time.process_time() - began < 10


@pytest.mark.parametrize("group", ["kinds", "places", "simple", "files"])
def test_each_secret_can_be_read_back_by_other_means(group: str) -> None:
    lost = [
        case.id
        for case in POSITIVE
        if case.group == group and case.secret not in recovered(case.family, case.sent)
    ]
    assert lost == []


def in_clear(case: Case) -> bool:
    assert case.secret is not None
    said = b"".join((case.sent.target, case.sent.body, *case.sent.earlier))
    return case.secret.encode() in said


@pytest.mark.parametrize("group", ["simple", "split"])
def test_no_coded_secret_stands_in_the_clear_too(group: str) -> None:
    plain = {"UTF-8 file with mark", "Latin-1 file", "quoted-printable by transfer-encoding"}
    seen = [c.id for c in POSITIVE if c.group == group and c.family not in plain and in_clear(c)]
    assert seen == []


def test_harmless_requests_hold_no_key() -> None:
    looks = {case.family for case in HARMLESS if KEYS.search(recovered(case.family, case.sent))}
    assert looks <= MAY_LOOK_SO.keys()


async def test_the_gateway_can_read_every_request() -> None:
    """One that is refused as unreadable would count as found."""
    stage = ReadContent(64 * 1024 * 1024)
    for case in CASES:
        call: Call = call_of(case.sent)
        assert isinstance(await ask(stage, call), Pass)
        assert call.content.fault is None, case.id
