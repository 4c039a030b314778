"""The detector: what a text holds, where, once each, whichever thread asks."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.engine.detector import Detector, EngineName
from openai_gateway.leaks.engine.limit import NoLimit
from openai_gateway.leaks.engine.mark import mark
from openai_gateway.leaks.engine.matcher import MOST_HITS
from openai_gateway.leaks.reading.edits import Cut, redacted
from openai_gateway.leaks.rules.rule import Hit, Rule, RulesFault
from tests.support.leak_texts import alnum

FIXED = Rule(
    "made-token",
    "",
    "made_[A-Za-z0-9]{30}",
    keywords=("made_",),
    strong=True,
    matches=("made_{alnum:30}", "say \\nmade_{alnum:30}, then"),
    ignores=("made_{alnum:20}", "xmade_{alnum:30}"),
)
NAMED = Rule(
    "named-value",
    "",
    "(?i)(?:api_?key|password)[\"' ]{0,3}[:=][\"' ]{0,3}([A-Za-z0-9_:\\[\\]-]{16,64})",
    group=1,
    keywords=("key", "password"),
    bounds="none",
    matches=('"api_key": "{alnum:24}"',),
)
MAIL = Rule("mail", "", "[a-z0-9_A-Z]{1,60}@[a-z.]{3,40}", action="report", keywords=("@",))
RULES = (FIXED, NAMED, MAIL)
TOKEN = "made_" + alnum(30)
ENGINES = ("hyperscan", "keywords")


@pytest.fixture(params=ENGINES, scope="module")
def detector(request: pytest.FixtureRequest) -> Detector:
    return Detector(RULES, request.param)


def found(detector: Detector, text: str, **more: bytes) -> list[tuple[str, int, int]]:
    hits = detector.find(text.encode(), **more)  # type: ignore[arg-type]
    return [(hit.rule.id, hit.start, hit.end) for hit in hits]


def test_an_empty_text_holds_nothing(detector: Detector) -> None:
    assert detector.find(b"") == []
    assert detector.find(b"", before=TOKEN.encode()) == []


def test_hits_are_in_order_of_their_place(detector: Detector) -> None:
    text = f"a@bc.de password={alnum(24)} {TOKEN}"
    assert [name for name, _, _ in found(detector, text)] == ["mail", "named-value", "made-token"]


def test_offsets_are_of_bytes(detector: Detector) -> None:
    assert found(detector, f"é中 {TOKEN}") == [("made-token", 6, 41)]


def test_upper_case_keywords_and_names_count_too(detector: Detector) -> None:
    assert found(detector, f"API_KEY={alnum(24)}") == [("named-value", 8, 32)]


def test_what_stands_before_is_context_alone(detector: Detector) -> None:
    assert found(detector, alnum(24), before=b'"api_key": "') == [("named-value", 0, 24)]
    assert found(detector, "nothing here", before=TOKEN.encode()) == []
    assert found(detector, "x" + alnum(30), before=b"made_") == []


def test_what_begins_before_is_cut_to_the_text(detector: Detector) -> None:
    head, tail = TOKEN[:12], TOKEN[12:]
    assert found(detector, f"{tail} x", before=head.encode()) == [("made-token", 0, 23)]


def test_the_same_secret_is_told_once_and_what_is_beside_it_too(detector: Detector) -> None:
    assert found(detector, f"api_key={TOKEN}") == [("made-token", 8, 43)]
    assert found(detector, f"api_key={TOKEN}-and-more") == [
        ("named-value", 8, 52),
        ("made-token", 8, 43),
    ]


def test_what_is_only_reported_hides_nothing(detector: Detector) -> None:
    assert ("made-token", 0, 35) in found(detector, f"{TOKEN}@made.example")


def test_only_strong_rules_look_at_what_was_taken_apart(detector: Detector) -> None:
    text = f"password={alnum(24)} {TOKEN}".encode()
    assert [hit.rule.id for hit in detector.find(text, strong=True)] == ["made-token"]


def test_a_mark_is_never_a_hit(detector: Detector) -> None:
    text = f"api_key={TOKEN} password={alnum(24)} api_key=%5BREDACTED%3Amade-token%5D".encode()
    hits = detector.find(text)
    assert len(hits) == 2
    assert detector.find(_redacted(text, hits)) == []


def test_a_mark_that_no_rule_made_hides_nothing(detector: Detector) -> None:
    assert found(detector, f"[REDACTED:{TOKEN}]") == [("made-token", 10, 45)]


def test_a_flood_of_one_rule_covers_no_other(detector: Detector) -> None:
    text = f"{TOKEN} ".encode() * (MOST_HITS + 100) + f"password={alnum(24)}".encode()
    limit = NoLimit()
    hits = detector.find(text, limit=limit)
    assert limit.over
    assert (len(hits), hits[-1].rule, hits[-1].end) == (MOST_HITS + 1, NAMED, len(text))


def test_a_text_that_is_all_triggers_is_looked_at_too(detector: Detector) -> None:
    text = b"a" * 30 + b"@" + b"@aa" * 40_000 + f" {TOKEN} ".encode()
    assert "made-token" in [hit.rule.id for hit in detector.find(text)]


@given(text=st.binary(max_size=300), before=st.binary(max_size=40), strong=st.booleans())
def test_no_text_raises_and_every_hit_lies_in_it(
    detector: Detector, text: bytes, before: bytes, strong: bool
) -> None:
    hits = detector.find(text, before=before, strong=strong)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)


@given(st.lists(st.sampled_from(
    [TOKEN, " ", ",", "api_key=", "password: ", alnum(24), "[REDACTED:", "made-token]", "@a.bc"]
), max_size=12))  # fmt: skip
def test_redacted_again_is_the_same(detector: Detector, pieces: list[str]) -> None:
    text = "".join(pieces).encode()
    once = _redacted(text, detector.find(text))
    assert _redacted(once, detector.find(once)) == once


def test_many_threads_share_one(detector: Detector) -> None:
    texts = [f"{'x ' * number}{TOKEN}".encode() * 20 for number in range(200)]
    alone = [detector.find(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(detector.find, texts)) == alone


def test_auto_takes_hyperscan_where_it_is_there() -> None:
    assert Detector(RULES).engine == "hyperscan"


def test_no_rules_find_nothing() -> None:
    for engine in ENGINES:
        assert Detector((), engine).find(TOKEN.encode()) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
def test_rules_that_do_not_hold_are_refused_all_at_once(engine: EngineName) -> None:
    rules = (
        Rule("misses", "", "made_[a-z]{30}", matches=("made_{digits:30}",)),
        Rule("finds", "", "made_[a-z0-9]{30}", ignores=("made_{lownum:30}",)),
        Rule("fine", "", "made_[a-z0-9]{30}", matches=("made_{lownum:30}",)),
    )
    with pytest.raises(RulesFault) as caught:
        Detector(rules, engine)
    assert caught.value.problems == (
        "misses: matches.0: is not found among the other rules",
        "finds: ignores.0: is found among the other rules",
    )


def test_patterns_and_ids_that_cannot_be_are_refused_all_at_once() -> None:
    rules = (Rule("a", "", "("), Rule("b", "", "x*"), Rule("c", "", "x"), Rule("c", "", "y"))
    with pytest.raises(RulesFault) as caught:
        Detector(rules)
    assert [one.split(":")[0] for one in caught.value.problems] == ["c", "a", "b"]


def _redacted(text: bytes, hits: list[Hit]) -> bytes:
    acting = [hit for hit in hits if hit.rule.action != "report"]
    return redacted(text, [Cut(one.start, one.end, mark(one.rule.id), b"") for one in acting])
