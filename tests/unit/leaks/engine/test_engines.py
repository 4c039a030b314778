"""Both engines find the same, which is what RE2 finds in the whole text, rule by rule."""

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.leaks.engine.compiled import compiled
from openai_gateway.leaks.engine.detector import Detector, Sweep
from openai_gateway.leaks.engine.engine import merged
from openai_gateway.leaks.engine.hyperscan import Hyperscan
from openai_gateway.leaks.engine.keywords import Keywords
from openai_gateway.leaks.engine.matcher import Matcher
from openai_gateway.leaks.engine.trigger import trigger
from openai_gateway.leaks.rules.rule import Hit, Rule, RulesFault
from tests.support.leak_texts import drawn, synthetic

SPECIAL = (
    Rule("run", "", "[0-9a-f]{32}", alphabet="hex"),
    Rule("card", "", "(?:[0-9][ -]?){13,19}", bounds="none"),
    Rule("mail", "", r"[\w.+-]{1,64}@[\w-]{1,63}\.[a-z]{2,9}", keywords=("@",)),
    Rule("pem", "", r"(?s)-----BEGIN [A-Z ]{0,20}KEY-----.{20,}?-----END", bounds="none",
         max_bytes=900, keywords=("-----begin",)),
    Rule("words", "", r"(?i)[\w.-]{0,20}?(?:secret|token)(?:.{0,9}[:=])\s*([a-z0-9]{8,20})",
         group=1, keywords=("secret", "token")),
    Rule("either", "", r"xa_[0-9a-z]{9}|(?:yb|yc)[0-9]{12,}z|\Aq{9}", max_bytes=60),
    Rule("line", "", r"(?m)^id: ([a-z0-9]{9,30})$", group=1, keywords=("id:",)),
    Rule("far", "", "made_[a-z]{9}", keywords=("elsewhere",)),
    Rule("url", "", r"[a-z]{2,9}://[^:/@\s]{0,20}:([^@\s]{8,40})@", group=1, bounds="none",
         keywords=("://",)),
    Rule("bounded", "", r"\b[A-Z]{2}[0-9]{9}\b", bounds="none"),
    Rule("any-group", "", "p=(a{3})?([a-z0-9]{6,9})", group=None, bounds="none", keywords=("p=",)),
)  # fmt: skip
RULES = (*SPECIAL, *synthetic(40))
MATCHERS = tuple(Matcher(compiled(rule)) for rule in RULES)
HYPERSCAN = Sweep(MATCHERS, "hyperscan")
KEYWORDS = Sweep(MATCHERS, "keywords")
BETWEEN = (b"", b" ", b"\n", b"x", b"\\n", b"=", b'"', b"-", b"\x00\xff", b"elsewhere", b"%3D")


def by_re2_alone(text: bytes) -> list[Hit]:
    """What the rules mean, without any engine."""
    lowered = text.lower()
    wanted = [one for one in MATCHERS if not one.words or any(w in lowered for w in one.words)]
    return [hit for one in wanted for hit in one.hits(text, [(0, len(text))])]


def planted(chance: random.Random, pieces: int) -> bytes:
    """Texts that rules match, whole or cut, one after the other with noise between."""
    made: list[bytes] = []
    for _ in range(pieces):
        text = drawn(chance.choice(MATCHERS).compiled.tree, chance)
        if chance.random() < 0.2:
            text = text[: chance.randint(0, len(text))]
        noise = chance.randbytes(chance.randint(0, 60)) if chance.random() < 0.3 else b""
        made += [chance.choice(BETWEEN), text, noise]
    return b"".join(made)


@given(seed=st.integers(0, 2**64), pieces=st.integers(0, 30))
@settings(max_examples=150)
def test_both_engines_find_what_the_rules_mean(seed: int, pieces: int) -> None:
    text = planted(random.Random(seed), pieces)  # noqa: S311 -- a test's text
    meant = by_re2_alone(text)
    assert HYPERSCAN.hits(text) == meant
    assert KEYWORDS.hits(text) == meant


@given(st.text("made_ sectokn=:0123abcdef@-.\n\\u", max_size=400))
def test_they_do_on_texts_that_are_nearly_matches(text: str) -> None:
    meant = by_re2_alone(text.encode())
    assert HYPERSCAN.hits(text.encode()) == meant
    assert KEYWORDS.hits(text.encode()) == meant


@pytest.mark.parametrize("text", [
    b"0a1b" * 40_000, b"4" * 100_000, b"1 " * 50_000, b"secret=" * 20_000, b"a@" * 50_000,
    b"-----BEGIN KEY-----" * 4_000, b"x://:" * 20_000, b"p=aaa" * 20_000,
])  # fmt: skip
def test_they_do_where_a_text_is_one_long_trigger(text: bytes) -> None:
    meant = by_re2_alone(text)
    assert HYPERSCAN.hits(text) == meant
    assert KEYWORDS.hits(text) == meant


def test_the_places_are_few_where_nothing_is() -> None:
    text = b"def main() -> None:\n    return None  # nothing to see\n" * 2_000
    assert HYPERSCAN.engine.places(text) == {}
    without_keywords = {at for at, one in enumerate(MATCHERS) if not one.words}
    assert set(KEYWORDS.engine.places(text)) == without_keywords


def test_a_rule_of_a_common_beginning_costs_no_more_than_its_matches() -> None:
    """Else a base64 image would be a hit for each of its bytes."""
    rule = Rule("run", "", "[A-Za-z0-9+/]{24,}", alphabet="base64", max_bytes=60_000)
    engine = Hyperscan((Matcher(compiled(rule)),))
    events: list[tuple[int, int]] = []
    assert engine._scanned(b" " + b"QUJD" * 10_000 + b" ", events)
    assert len(events) == 1


def test_what_hyperscan_refuses_is_left_to_re2() -> None:
    """Hyperscan takes no repeats as large as these; RE2 does."""
    wide = Rule("wide", "", "w(?:[ab]{0,40}[bc]{0,40}d?){12}x(?:[a-z]{3}y){20,}", max_bytes=5_000)
    matchers = (Matcher(compiled(wide)), Matcher(compiled(RULES[0])))
    engine = Hyperscan(matchers)
    text = b" w" + b"abcd" * 3 + b"x" + b"abcy" * 20 + b" "
    meant = [hit for one in matchers for hit in one.hits(text, [(0, len(text))])]
    places = engine.places(text)
    assert [hit for at, spans in places.items() for hit in matchers[at].hits(text, spans)] == meant


@pytest.mark.parametrize("rule", SPECIAL, ids=lambda rule: rule.id)
def test_no_place_is_cut_short(rule: Rule) -> None:
    """Every match lies in its place with the bytes around it that the rule asks about."""
    matcher = Matcher(compiled(rule))
    chance = random.Random(rule.id)  # noqa: S311 -- a test's text
    for engine in (Hyperscan((matcher,)), Keywords((matcher,))):
        for _ in range(20):
            text = planted(chance, 3) + b" " + drawn(matcher.compiled.tree, chance) + b" elsewhere"
            spans = engine.places(text).get(0, [])
            for hit in matcher.hits(text, [(0, len(text))]):
                assert any(low <= hit.start and hit.end <= high for low, high in spans)


def test_a_fixed_beginning_is_looked_for_as_it_is() -> None:
    rule = Rule("fixed", "", "tok_[a-z]{5,9}", max_bytes=13)
    found = trigger(rule, compiled(rule).tree)
    assert found.expressions == ("(?:tok_(?:[a-z]){4}[a-z])",)


def test_places_that_touch_are_one() -> None:
    assert merged([(0, 5), (3, 4), (5, 9), (11, 12)]) == [(0, 9), (11, 12)]


def test_without_hyperscan_the_keywords_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai_gateway.leaks.engine.hyperscan", None)
    assert Detector(SPECIAL).engine == "keywords"
    with pytest.raises(RulesFault, match="cannot be imported"):
        Detector(SPECIAL, "hyperscan")


@pytest.mark.parametrize("count", [10, 500])
def test_many_rules_compile(count: int) -> None:
    detector = Detector(synthetic(count))
    chance = random.Random(count)  # noqa: S311 -- a test's text
    for matcher in detector._every.matchers[::7]:
        text = b" " + drawn(matcher.compiled.tree, chance) + b" "
        assert matcher.hits(text, [(0, len(text))]) == [
            hit for hit in detector._every.hits(text) if hit.rule is matcher.rule
        ]
