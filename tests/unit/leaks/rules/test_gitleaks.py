"""A gitleaks file loads as it is, and what cannot be a rule is named with its line and reason."""

from pathlib import Path

import pytest

from openai_gateway.leaks.engine.detector import Detector
from openai_gateway.leaks.rules.gitleaks import GitleaksFile, read
from openai_gateway.leaks.rules.rule import Exemption, Rule
from openai_gateway.leaks.rules.rule_file import RuleFileError
from tests.support.leak_texts import alnum

FILE = r"""
title = "made"
[extend]
useDefault = true
[[rules]]
id = "Made_Token"
description = "A made token"
regex = '''\b(made_[a-z]{0}(?i)[A-Z0-9]{20})(?:[\x60'"\s;]|\\[nr]|$)'''
entropy = 3.5
keywords = ["MADE_", "other"]
    [[rules.allowlists]]
    regexTarget = "line"
    regexes = ['''tested''']
    stopwords = ["Sample"]
[[rules]]
id = "grouped"
regex = '''key(?:=|:)(x)?([a-z0-9]{16,})'''
secretGroup = 2
[rules.allowlist]
condition = "AND"
paths = ['''\.md$''']
regexes = ['''abc''']
[allowlist]
stopwords = ["nowhere"]
paths = ['''vendor''']
"""


def load(folder: Path, text: str) -> GitleaksFile:
    path = folder / "gitleaks.toml"
    path.write_text(text)
    return read(path)


def notes(found: GitleaksFile) -> list[str]:
    return [f"{note.line}:{note.column}: {note.path}: {note.message}" for note in found.notes]


def test_every_field_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, FILE)
    everywhere = Exemption(stopwords=("nowhere",))
    assert found.rules[0] == Rule(
        id="made-token",
        title="A made token",
        pattern=r"""\b(made_[a-z]{0}(?i)[A-Z0-9]{20})(?:[\x60'"\s;]|\\[nr]|$)""",
        group=None,
        keywords=("made_", "other"),
        bounds="none",
        max_bytes=27,
        entropy=3.5,
        exemptions=(Exemption(("tested",), ("sample",), "line"), everywhere),
        source="gitleaks.toml, Made_Token",
    )
    assert (found.rules[1].group, found.rules[1].exemptions) == (2, (everywhere,))


def test_its_rules_find_what_gitleaks_would(tmp_path: Path) -> None:
    detector = Detector(load(tmp_path, FILE).rules)
    token = "made_" + alnum(20)
    found = detector.find(f"see '{token}' ".encode())
    assert [(hit.rule.id, hit.start, hit.end) for hit in found] == [("made-token", 5, 30)]
    assert detector.find(f"tested '{token}' ".encode()) == []
    assert [hit.start for hit in detector.find(f"key:x{alnum(20).lower()}".encode())] == [5]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("path = '''x'''", "looks at paths alone, and a call has none"),
        ("", "has neither a regex nor a path"),
        ("regex = 'a'\nfilter = 'entropy > 3'", "has a `filter`, which is betterleaks' own"),
        ("regex = 'a'\nrequired = [{id='b'}]", "needs other rules beside it"),
        ("regex = '(?=a)b'", "is no RE2 pattern"),
        ("regex = '\\p{Greek}'", "uses \\p, but rules look at bytes"),
        ("regex = 'a*'", "matches an empty text"),
        ("regex = 'abc'\nsecretGroup = 2", "has 0 groups"),
        ("regex = 'abc'\nentropy = 'x'", "has a `entropy` that is no number"),
        ("regex = 'abc'\nkeywords = 'x'", "has `keywords` that are no list of texts"),
        ("regex = 5", "has a `regex` that is no text"),
        ("regex = 'abc'\nallowlist = {regexes = ['(']}", "is no RE2 pattern"),
        ("regex = 'abc'\nallowlist = {regexes = ['a'], regexTarget = 'x'}", "unknown regexTarget"),
    ],
)
def test_a_rule_that_cannot_be_is_named(tmp_path: Path, fields: str, said: str) -> None:
    good = "\n\n[[rules]]\nid = 'good'\nregex = 'good_[a-z]{9}'\n"
    found = load(tmp_path, f"[[rules]]\nid = 'bad'\n{fields}{good}")
    (note,) = notes(found)
    assert note.startswith("2:1: rules.bad: is left out: it ")
    assert said in note
    assert [rule.id for rule in found.rules] == ["good"]


def test_a_rule_without_an_id_and_one_given_twice_are_named(tmp_path: Path) -> None:
    one = "[[rules]]\nid = 'x'\nregex = 'abc'\n"
    found = load(tmp_path, f"{one}{one}[[rules]]\nregex = 'abc'\n")
    assert notes(found) == [
        "2:1: rules.x: is left out: it has the id of an earlier rule",
        "7:1: rules.2: is left out: it needs an id of 1 to 64 letters and digits",
    ]


def test_what_the_file_extends_is_named(tmp_path: Path) -> None:
    assert notes(load(tmp_path, FILE)) == [
        "3:1: extend: is not followed; list the other file in leaks.rules too"
    ]


def test_an_allowlist_of_the_file_can_be_for_some_rules(tmp_path: Path) -> None:
    text = "[[rules]]\nid='a'\nregex='abc'\n[[rules]]\nid='b'\nregex='abc'\n"
    found = load(tmp_path, text + "[[allowlists]]\ntargetRules=['b']\nstopwords=['x']\n")
    assert [len(rule.exemptions) for rule in found.rules] == [0, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rules]]\nid = ", "2:6: (file): is no TOML: Invalid value"),
        ("[[rules]]\nid = 'a", "2:8: (file): is no TOML: "),
        ("", "1:1: rules.0: holds no rule"),
        ("[[rules]]\nid='a'\n", "2:1: rules.a: is left out: it has neither"),
        ("[[rules]]\nid='a'\nregex='abc'\n[allowlist]\nregexes=['(']", "4:1: allowlist: cannot be"),
        ("x = " + "[" * 5000, "1:1: (file): is nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_fault(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'gitleaks.toml'}:{said}")


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "gitleaks.toml"
    path.write_bytes(b"title = 'x'\n\xff")
    with pytest.raises(RuleFileError, match=r":2:1: \(file\): is no UTF-8 text"):
        read(path)
    with pytest.raises(RuleFileError, match=r"cannot be read"):
        read(tmp_path / "none.toml")
