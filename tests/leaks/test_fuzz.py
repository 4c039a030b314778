"""Whatever a client sends, reading it raises nothing, ends soon, and redacting breaks no JSON.

The longer run changes the corpus' own requests at random places and is a soak.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openai_gateway.content.body import read
from openai_gateway.core.call import Content, Request
from openai_gateway.core.clock import SystemClock
from tests.leaks.case import BOUNDARY, JSON
from tests.leaks.code_base64 import b64
from tests.leaks.code_escapes import percent
from tests.leaks.corpus import corpus
from tests.leaks.draw import seeded
from tests.leaks.kinds import KINDS, STRONG
from tests.leaks.oddities import CYRILLIC
from tests.leaks.subject import RULES, detector_of

reading = pytest.importorskip("openai_gateway.leaks.reading.read")
heads = pytest.importorskip("openai_gateway.leaks.reading.read_head")
budgets = pytest.importorskip("openai_gateway.leaks.reading.budget")
pytest.importorskip("openai_gateway.leaks.rules.rule_set", reason="the rules are not built yet")
if not (RULES / "secrets.yaml").exists():
    pytest.skip("the rules are not written yet", allow_module_level=True)

# A fuzzed text is short; the machine may be busy.
SOON: Final = timedelta(seconds=5)
# A mark is longer than the shortest password that it stands for, but no more than so.
GROWTH: Final = 16
FUZZ: Final = settings(
    max_examples=300, deadline=SOON, suppress_health_check=[HealthCheck.too_slow]
)
LIMIT: Final = 64 * 1024 * 1024
ROUNDS: Final = 4_000
# Seconds of CPU for a mutated request, and for each MiB of it.
LONGEST_S: Final = 2.0
PER_MIB_S: Final = 5.0

type Judged = Callable[[Any], str]

CODES: Final[tuple[Callable[[str], str], ...]] = (
    str,
    b64,
    percent,
    json.dumps,
    lambda text: b64(b64(text)),
    lambda text: text.encode().hex(),
    lambda text: " ".join(text),
    lambda text: text[::-1],
    lambda text: text.translate(CYRILLIC),
    lambda text: json.dumps({"a": text, "b": [text, text]}),
    lambda text: "".join(f"&#{ord(c)};" for c in text),
    lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
)


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Before any clock runs."""
    detector_of()


def planted(number: int) -> str:
    """A secret in some writing."""
    chance = seeded("fuzz", number)
    text = chance.choice(chance.choice((KINDS, STRONG))).plant(chance).text
    for _ in range(chance.randint(1, 2)):
        text = chance.choice(CODES)(text)
    return text


def actions(number: int) -> Judged:
    """Each finding's action is chosen by its value: the same value, the same action."""
    ways = ("redact", "redact", "report", "allow", "block")
    return lambda finding: ways[(int(finding.sha256[:4], 16) + number) % len(ways)]


def redact(_: Any) -> str:
    return "redact"


def budget(data: bytes) -> Any:
    return budgets.budget_for(len(data), SystemClock())


TEXTS: Final = st.text(max_size=60) | st.integers(0, 10**9).map(planted)
MIXED: Final = st.lists(TEXTS, max_size=4).map(" ".join)
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | MIXED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MIXED, inner, max_size=4),
    max_leaves=12,
)


def read_json(data: bytes, judge: Judged) -> Any:
    content = Content(data, "json", None)
    return reading.read_body(content, JSON.encode(), detector_of(), judge, budget(data))


@FUZZ
@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
@example(value={"a": "\ud83d\ude00" * 3}, ascii_only=True, indent=None)
def test_json_stays_json_and_keeps_its_shape(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    result = read_json(data, redact)
    assert shape(json.loads(result.data)) == shape(json.loads(data))
    assert len(result.data) <= GROWTH * len(data)
    if not result.findings:
        assert result.data is data


def shape(value: object) -> object:
    """The value without its texts and numbers: a redacted number is a text. Names may be equal."""
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, dict):
        return sorted(repr(shape(one)) for one in value.values())
    return value is None or isinstance(value, bool)


@FUZZ
@given(value=VALUES)
def test_a_redacted_body_has_nothing_left_to_redact(value: object) -> None:
    data = json.dumps(value).encode()
    once = read_json(data, redact)
    if any(action == "block" for _, action in once.findings):
        return
    again = read_json(once.data, redact)
    assert again.data == once.data
    assert again.findings == []


@FUZZ
@given(value=VALUES, number=st.integers(0, 99))
def test_any_mixture_of_actions_leaves_json(value: object, number: int) -> None:
    data = json.dumps(value).encode()
    json.loads(read_json(data, actions(number)).data)


@FUZZ
@given(st.binary(max_size=3_000), st.lists(TEXTS, max_size=3), st.integers(0, 99))
def test_any_bytes_are_read(noise: bytes, texts: list[str], number: int) -> None:
    data = noise[:1_500] + "\n".join(texts).encode("utf-8", "replace") + noise[1_500:]
    found = reading.read_text(
        data, "the body", "body", detector_of(), actions(number), budget(data)
    )
    assert len(found.data) <= GROWTH * len(data) + GROWTH
    assert found.data == data or found.findings


@FUZZ
@given(
    st.sampled_from(
        [
            "application/json",
            f"multipart/form-data; boundary={BOUNDARY}",
            "application/x-www-form-urlencoded",
            "text/plain",
            "application/octet-stream",
        ]
    ),
    st.lists(MIXED | st.just(f"--{BOUNDARY}\r\n") | st.just("\r\n\r\n"), max_size=6),
)
def test_any_body_of_any_type_is_read(media: str, pieces: list[str]) -> None:
    data = "".join(pieces).encode("utf-8", "replace")
    content = read([(b"content-type", media.encode())], data, LIMIT)
    reading.read_body(content, media.encode(), detector_of(), redact, budget(data))


@FUZZ
@given(
    st.binary(max_size=80),
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=80)), max_size=4),
    st.integers(0, 10**9),
)
def test_any_head_is_read(target: bytes, headers: list[tuple[bytes, bytes]], number: int) -> None:
    secret = planted(number).encode("utf-8", "replace")
    request = Request("POST", "api.openai.com", b"/v1/" + target + secret, headers)
    request.headers += [(b"cookie", b"a=" + secret), (b"x-" + target, secret)]
    found = heads.read_head(request, detector_of(), redact, budget(secret))
    assert len(found.headers) == len(request.headers)


@FUZZ
@given(st.binary(max_size=2_000), st.binary(max_size=60), st.booleans(), st.integers(0, 10**9))
@example(noise=b"", before=b"", strong=False, number=195370)
def test_hits_lie_within_the_text_and_those_of_a_rule_apart(
    noise: bytes, before: bytes, strong: bool, number: int
) -> None:
    text = noise[:700] + planted(number).encode("utf-8", "replace") + noise[700:]
    hits = detector_of().find(text, before=before, strong=strong)
    assert hits == sorted(hits, key=lambda hit: hit.start)
    ends: dict[str, int] = {}
    for hit in hits:
        assert ends.get(hit.rule.id, 0) <= hit.start < hit.end <= len(text)
        ends[hit.rule.id] = hit.end


# The longer run.


def mutated(data: bytes, chance: Random) -> bytes:
    """Some bytes changed, taken out, doubled or put elsewhere."""
    for _ in range(chance.randint(1, 6)):
        at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + chance.choice((1, 2, 7, 60, 4_000)))
        piece = data[at:to]
        way = chance.randrange(5)
        if way == 0:
            data = data[:at] + chance.randbytes(len(piece)) + data[to:]
        elif way == 1:
            data = data[:at] + data[to:]
        elif way == 2:
            data = data[:at] + piece * chance.randint(2, 9) + data[to:]
        elif way == 3:
            data = data[:at] + planted(chance.randrange(10**9)).encode() + data[at:]
        else:
            data = piece + data[:at] + data[to:]
    return data


def within_time(data: bytes, content: Content, media: bytes, judge: Judged) -> Any:
    detector, limits = detector_of(), budget(data)
    began = time.process_time()
    found = reading.read_body(content, media, detector, judge, limits)
    took = time.process_time() - began
    assert took < LONGEST_S + PER_MIB_S * len(data) / 2**20, f"{took:.1f} s for {len(data)} bytes"
    return found


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_changed_requests_are_read_in_bounded_time(seed: int) -> None:
    cases = [case for case in corpus(seed) if 0 < len(case.sent.body) < 100_000]
    chance = seeded("mutations", seed)
    for _ in range(ROUNDS):
        sent = chance.choice(cases).sent
        data = mutated(sent.body, chance)
        media = sent.content_type.encode()
        content = read([(b"content-type", media), *sent.headers], data, LIMIT)
        found = within_time(data, content, media, actions(chance.randrange(99)))
        if content.kind == "json" and content.fault is None:
            json.loads(found.data)
