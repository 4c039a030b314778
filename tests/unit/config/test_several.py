"""What workers must share: limits and budgets in the memory of each would be N times too wide."""

from pathlib import Path

import pytest

from openai_gateway.config.load import Loaded, read
from openai_gateway.config.places import literal
from openai_gateway.config.problems import ConfigError
from openai_gateway.config.several import shared

ENV = {
    "OPENAI_API_KEY_PRODUCTION": "sk-proj-" + "FAKEprod" * 5,
    "OPENAI_API_KEY_STAGING": "sk-proj-" + "FAKEstag" * 5,
}
KEYS = "keys: {mappings: [{name: default, staging: env:OPENAI_API_KEY_STAGING}]}\n"
RULE = "rules: [{rpm: 3}]"
BUDGET = "budgets: [{name: day, usd: 1, period: day}]\n"
REDIS = "redis://127.0.0.1/0"


def loaded(text: str) -> Loaded:
    return read(KEYS + text, ENV, path=Path("gateway.yaml"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"limits: {{{RULE}}}\n", "2:1"),
        (f"limits:\n  mode: observe\n  store: memory\n  {RULE}\n", "4:3"),
        ("limits: {tier: 2}\n", "2:1"),
        ("limits: {profile: p.yaml}\n", "2:1"),
        (BUDGET, "1:1"),
        ("limits: {mode: 'off'}\n" + BUDGET, "2:1"),
    ],
)
def test_what_is_counted_in_memory_is_refused_with_place_and_fix(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        shared(loaded(text), 3)
    (problem,) = refused.value.problems
    assert str(problem) == (
        f"gateway.yaml:{place}: limits.store: is memory, which 3 workers do not share: limits and "
        "budgets would be 3 times too wide; name a store that all of them share (redis://…), or "
        "run --workers 1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"limits: {{mode: 'off', {RULE}}}\n",
        f"limits: {{store: '{REDIS}', {RULE}}}\n" + BUDGET,
    ],
)
def test_what_is_shared_or_counts_nothing_passes(text: str) -> None:
    assert shared(loaded(text), 3).config.budgets == loaded(text).config.budgets


def test_one_worker_shares_with_nobody() -> None:
    text = f"limits: {{{RULE}}}\n"
    assert shared(loaded(text), 1).config == loaded(text).config


def test_a_running_worker_counts_where_it_began_to_whatever_the_file_says_now() -> None:
    fresh = loaded(f"limits: {{store: '{REDIS}', {RULE}}}\n")
    with pytest.raises(ConfigError, match="is used from the next SIGHUP or restart on"):
        shared(fresh, 2, literal("memory"))
    assert shared(fresh, 2, literal(REDIS)).config.limits.rules


def test_in_an_outage_each_worker_has_its_own_part() -> None:
    text = f"limits: {{instances: 3, store: '{REDIS}', {RULE}}}\n"
    assert shared(loaded(text), 4).config.limits.instances == 12
