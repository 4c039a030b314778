"""The secret that is planted: found by a rule that blocks, new each time."""

from pathlib import Path

import pytest

from openai_gateway.doctor.planted import planted
from openai_gateway.doctor.site import Site
from tests.unit.doctor.rig import site

OWN = r"""as_of: 2026-11-24
source: a test
rules:
  - id: openai-like
    title: left out, as the tripwire may see it first
    pattern: 'oaitk_[a-z0-9]{24}'
    keywords: [oaitk_]
    source: a test
    matches: ['oaitk_{lownum:24}']
  - id: team-token
    title: a token of ours
    pattern: 'teamtk_[a-z0-9]{24}'
    keywords: [teamtk_]
    ACTION
    source: a test
    matches: ['teamtk_{lownum:24}']
"""


def own(folder: Path, action: str = "", **leaks: object) -> Site:
    (folder / "own.yaml").write_text(OWN.replace("ACTION", action or "severity: high"))
    return site(folder, {"leaks": {"mode": "enforce", "rules": ["own.yaml"], **leaks}})


def test_it_is_found_and_differs_each_time(tmp_path: Path) -> None:
    found = own(tmp_path)
    assert found.rules is not None, found.problems
    assert found.config is not None
    one, two = (planted(found.rules.detector, found.config) for _ in "12")
    assert one is not None
    assert one.rule == "team-token"
    assert one != two
    assert one.text not in repr(one)


@pytest.mark.parametrize("action", ["action: redact", "action: report"])
def test_a_rule_that_does_not_block_is_not_tried(tmp_path: Path, action: str) -> None:
    found = own(tmp_path, action)
    assert found.rules is not None, found.problems
    assert found.config is not None
    assert planted(found.rules.detector, found.config) is None


def test_a_rule_that_is_allowed_somewhere_is_not_tried(tmp_path: Path) -> None:
    found = own(tmp_path, allow=[{"rule": "team-*", "path": "*", "reason": "a test"}])
    assert found.rules is not None, found.problems
    assert found.config is not None
    assert planted(found.rules.detector, found.config) is None


def test_without_rules_there_is_none(tmp_path: Path) -> None:
    found = site(tmp_path)
    assert found.config is not None
    assert planted(None, found.config) is None
