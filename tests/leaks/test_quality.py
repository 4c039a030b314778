"""The published rates are held: how much is found, how little is stopped wrongly, what is left.

`python -m tests.leaks` prints the same table; docs/leaks.md shows it.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("openai_gateway.leaks.stage", reason="the leak stage is not built yet")

from tests.leaks import subject
from tests.leaks.case import Case, Group, chat
from tests.leaks.corpus import EACH, SEED, corpus
from tests.leaks.judge import WANTED, Judgement, judge, table
from tests.leaks.undo import recovered

pytestmark = pytest.mark.timeout(600)  # the first test judges the whole corpus

# Redaction leaves no trace in so many of a hundred.
CLEAN: Final = 98.0
TAIL: Final = 12
LIBRARY: Final = Path(json.__file__).parents[1]


@cache
def judged(seed: int = SEED) -> Judgement:
    return judge(corpus(seed), subject.verdict)


@pytest.mark.parametrize("group", EACH)
def test_the_rate_is_as_published(group: Group) -> None:
    made = judged()
    sys.stdout.write(f"{table(made)}\n")
    assert made.holds(group), f"{made.rate(group):.1f} %, wanted {WANTED[group]:g} %"


def test_no_family_is_mostly_missed_or_often_stopped() -> None:
    sys.stdout.write(f"{table(judged())}\n")
    assert judged().bad_families() == []


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1, 6))
def test_other_seeds_give_the_same_rates(seed: int) -> None:
    made = judged(seed)
    sys.stdout.write(f"{table(made)}\n")
    assert [group for group in EACH if not made.holds(group)] == []


def rest(secret: str) -> tuple[str, str]:
    """Pieces of a secret that a redaction which cuts too short would leave."""
    middle = len(secret) // 2
    return secret[-TAIL:], secret[middle : middle + TAIL]


def leaves_trace(case: Case, leaves: subject.Outcome) -> bool:
    assert case.secret is not None
    said = recovered(case.family, leaves.leaves)
    return any(piece in said for piece in rest(case.secret))


def is_json(case: Case) -> bool:
    return case.sent.content_type.startswith("application/json") and not case.sent.headers


def test_redaction_leaves_no_trace_and_no_broken_json() -> None:
    redacted = traces = 0
    for case in corpus(SEED, groups=("kinds", "places", "simple", "files")):
        outcome = subject.outcome(case, "redact")
        if outcome.verdict != "redacted":
            continue
        redacted += 1
        traces += leaves_trace(case, outcome)
        if is_json(case) and outcome.leaves.body:
            json.loads(outcome.leaves.body)
    assert redacted > 500
    assert traces <= redacted * (100 - CLEAN) / 100, f"{traces} of {redacted}"


def library(every: int) -> list[Path]:
    """Files of the standard library, without its tests, whose certificates hold private keys."""
    files = sorted(path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts)
    return [path for path in files if "test" not in path.parts and "idlelib" not in path.parts][
        ::every
    ]


def stopped(path: Path) -> bool:
    text = path.read_text("utf-8", "replace")
    case = Case(path.name, "benign", "library", chat(text))
    return subject.verdict(case) in ("blocked", "redacted")


def test_a_sample_of_the_standard_library_passes() -> None:
    assert [str(path) for path in library(23) if stopped(path)] == []


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_standard_library_passes() -> None:
    assert [str(path) for path in library(1) if stopped(path)] == []
