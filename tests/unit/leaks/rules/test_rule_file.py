"""A rule file is read whole, or every fault of it is told at once with its line and column."""

from pathlib import Path

import pytest

from openai_gateway.leaks.rules.rule import MOST_BYTES, Rule
from openai_gateway.leaks.rules.rule_file import RuleFileError, read

WHOLE = r"""
as_of: 2026-11-24
rules:
  - id: made-token
    title: Made token
    pattern: 'made_[A-Za-z0-9]{30}'
    keywords: [made_]
    bounds: token
    alphabet: base64url
    max_bytes: 64
    entropy: 3.0
    strong: true
    action: redact
    severity: medium
    source: https://made.example/tokens, read 2026-11-24
    matches: ['made_{alnum:30}', '(made_{alnum:30})']
    ignores: ['made_short', 'made_{alnum:31}']
  - id: named-value
    pattern: '(?i)made[_-]?secret ?= ?([A-Za-z0-9]{16,40})'
    group: 1
    keywords: [made]
    strong: false
    validator: named_value
    matches: ['made_secret = {alnum:20}']
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text)
    return path


def rule(fields: str, id_: str = "made-token") -> str:
    """A file with one rule of which `fields` are added or take another's place."""
    given = dict(line.split(": ", 1) for line in fields.strip().splitlines())
    known = {
        "id": id_,
        "pattern": "'made_[A-Za-z0-9]{30}'",
        "keywords": "[made_]",
        "matches": "['made_{alnum:30}']",
    }
    lines = [f"{name}: {value}" for name, value in (known | given).items() if value != "-"]
    return "rules:\n  - " + "\n    ".join(lines) + "\n"


def faults(folder: Path, text: str) -> list[str]:
    """`LINE:COL: path: message` of every fault."""
    path = write(folder, text)
    with pytest.raises(RuleFileError) as caught:
        read(path)
    return [str(fault).removeprefix(f"{path}:") for fault in caught.value.faults]


def test_every_field_is_read(tmp_path: Path) -> None:
    first, second = read(write(tmp_path, WHOLE))
    assert first == Rule(
        id="made-token",
        title="Made token",
        pattern="made_[A-Za-z0-9]{30}",
        group=0,
        keywords=("made_",),
        bounds="token",
        alphabet="base64url",
        max_bytes=64,
        entropy=3.0,
        validator=None,
        strong=True,
        action="redact",
        severity="medium",
        matches=("made_{alnum:30}", "(made_{alnum:30})"),
        ignores=("made_short", "made_{alnum:31}"),
        source="https://made.example/tokens, read 2026-11-24",
    )
    assert (second.title, second.group, second.alphabet) == ("named-value", 1, "base62")
    assert (second.action, second.severity, second.validator) == (None, "high", "named_value")


def test_without_max_bytes_the_pattern_says_how_long_a_match_is(tmp_path: Path) -> None:
    assert read(write(tmp_path, rule("")))[0].max_bytes == 35


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("id: Made_Token", "2:9: rules.0.id: must be kebab-case (a-z, 0-9, -), at most 64 letters"),
        ("id: -\ntitle: x", "2:5: rules.0: has no `id`"),
        ("matches: -", "2:5: rules.0: has no `matches`"),
        ("matches: []", "5:14: rules.0.matches: needs at least one example"),
        ("keyword: [x_]", "6:5: rules.0.keyword: is unknown; did you mean keywords?"),
        ("keywords: [Made_]", "4:16: rules.0.keywords.0: must be lower case"),
        ("keywords: [m]", "4:16: rules.0.keywords.0: is too short; one letter is in every text"),
        ("keywords: [other]", "5:15: rules.0.matches.0: is not found"),
        ("alphabet: base6", "6:15: rules.0.alphabet: is not one of base62, base64, base64url, hex,"
         " none; did you mean base64?"),
        ("action: blok", "6:13: rules.0.action: is not one of block, redact, report; did you mean"
         " block?"),
        ("strong: maybe", "6:13: rules.0.strong: is not one of false, true"),
        ("entropy: 9", "6:14: rules.0.entropy: is bits a character: at most 8"),
        ("entropy: x", "6:14: rules.0.entropy: "),
        ("max_bytes: 20", "3:14: rules.0.pattern: can match 35 bytes, which is more than max_bytes"
         " (20)"),
        ("max_bytes: 99999", f"6:16: rules.0.max_bytes: must be a whole number up to {MOST_BYTES}"),
        ("group: 1", "3:14: rules.0.pattern: has 0 groups, and group 1 is to be the secret"),
        ("group: 1.5", "6:12: rules.0.group: must be a whole number up to 100"),
        ("pattern: 'made_('", "3:14: rules.0.pattern: is no RE2 pattern: missing ): made_("),
        ("pattern: '(?=a)made_'", "3:14: rules.0.pattern: is no RE2 pattern: "),
        ("pattern: 'made_[a-z]{9999}'", "3:14: rules.0.pattern: is no RE2 pattern: "),
        ("pattern: 'made_[a-z]+'", "3:14: rules.0.pattern: can match without an end; say"
         " `max_bytes`"),
        ("pattern: '(?:made_)?'", "3:14: rules.0.pattern: matches an empty text"),
        ("validator: github_crc33", "6:16: rules.0.validator: is not one of "),
        ("matches: ['made_{alnum:29}']", "5:15: rules.0.matches.0: is not found"),
        ("matches: ['{nonsense:3}']", "5:15: rules.0.matches.0: is no template: "),
        ("ignores: ['x', 'made_{alnum:30}']", "6:20: rules.0.ignores.1: is found"),
    ],
)  # fmt: skip
def test_a_fault_tells_its_place_and_the_fix(tmp_path: Path, fields: str, said: str) -> None:
    told = faults(tmp_path, rule(fields))
    assert len(told) == 1
    assert told[0].startswith(said)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = rule("action: x\nseverity: y") + rule("max_bytes: 3", "made-token").split("\n", 1)[1]
    told = faults(tmp_path, text.replace("rules:", "as_of: soon\nrule: []\nrules:", 1))
    assert [one.split(": ")[1] for one in told] == [
        "as_of", "rule", "rules.0.action", "rules.0.severity", "rules.1.id",
    ]  # fmt: skip
    assert told[-1].endswith("is the id of the rule at line 4 too")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: (file): is empty"),
        ("rules: [", "2:1: (file): is no YAML"),
        ("rules: []", "1:8: rules: must list 1 to"),
        ("as_of: 2026-11-24", "1:1: (file): has no `rules`"),
        ("- x", "1:1: (file): must be a mapping"),
        ("rules: [x]", "1:9: rules.0: must be a mapping"),
        ("rules: " + "[" * 40, "1:2"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert any(one.startswith(said) for one in faults(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match=r"nowhere.yaml:1:1: \(file\): cannot be read"):
        read(tmp_path / "nowhere.yaml")


def test_a_fault_never_shows_what_a_template_was_filled_with(tmp_path: Path) -> None:
    (told,) = faults(tmp_path, rule("ignores: ['made_{alnum:30}']"))
    assert "made_" not in told
