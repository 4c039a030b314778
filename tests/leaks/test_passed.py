"""What once left and nobody was told: floods, allowances and placeholders hide no other secret."""

import json
import random
from types import SimpleNamespace
from typing import Any, Final

import pytest

from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.checks.plausible import beginning
from openai_gateway.leaks.rules.template import fill
from openai_gateway.leaks.stage import Leaks
from tests.leaks import subject
from tests.leaks.case import Case, chat

PLACE: Final = "messages[*].content"
CHANCE: Final = random.Random(7)  # noqa: S311 - a test's text
GITHUB: Final = fill("ghp_{alnum:30}{crc32}", CHANCE).decode()


def stage(*rules: str, action: str = "block") -> Leaks:
    """The stage as it is, but with these rules allowed in messages."""
    entries = [SimpleNamespace(rule=one, value_sha256=None, path=PLACE, until=None)
               for one in rules]  # fmt: skip
    policy: Any = SimpleNamespace(
        mode="enforce", action=action, responses="report", on_budget="report", allow=entries
    )
    return Leaks(policy, subject.detector_of(), SystemClock())


def said(text: str, by: Leaks) -> str:
    case = Case("passed", "kinds", "passed", chat(text))
    return subject.runner().run(subject.on_call(case, by)).verdict


def test_a_flood_of_an_allowed_rule_covers_nothing_else() -> None:
    samples = " ".join(fill("glpat-{alnum:20}", CHANCE).decode() for _ in range(2000))
    by = stage("gitlab-token")
    assert said(samples, by) == "reported"  # as over-budget
    assert said(f"{samples} {GITHUB}", by) == "blocked"


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{GITHUB}-and-More7"',
        f"postgres://bob:{GITHUB}xY9@db.example.org/x",
        f"password: {GITHUB}!!aB3",
    ],
)
def test_an_allowed_rule_hides_no_other_ones_secret(text: str) -> None:
    assert said(GITHUB, stage("named-*", "url-password")) == "blocked"
    assert said(text, stage("named-*", "url-password")) == "blocked"


def test_a_secret_that_two_rules_find_gets_one_mark() -> None:
    case = Case("passed", "kinds", "passed", chat(f'password = "{GITHUB}-and-More7"'))
    outcome = subject.runner().run(subject.on_call(case, stage(action="redact")))
    told = json.loads(outcome.leaves.body)["messages"][-1]["content"]
    assert (outcome.verdict, told.count("[REDACTED:")) == ("redacted", 1)
    assert GITHUB not in told


@pytest.mark.parametrize(
    ("rule", "glue"),
    [
        ("nvidia-key", "x" * 60), ("tavily-key", "x" * 30), ("google-oauth-secret", "x" * 16),
        ("heroku-key", "x" * 30), ("openshift-token", "a" * 40), ("neon-key", "x" * 60),
        ("gitlab-runner-registration", "x" * 16), ("pypi-token", "-"),
        ("webhook-secret", "x" * 30), ("contentful-token", "x" * 16),
    ],
)  # fmt: skip
def test_a_thousand_placeholders_hide_no_secret_in_silence(rule: str, glue: str) -> None:
    found = next(one for one in subject.detector_of().rules if one.id == rule)
    begin = beginning(found.pattern).decode()
    real = fill(found.matches[0], random.Random(5)).decode()  # noqa: S311 - as above
    wrapped = begin + glue + real[real.find(begin) :]
    assert said(wrapped, stage()) == "blocked"
    assert said((begin + "x" * 200 + " ") * 1200 + wrapped, stage()) != "clean"
