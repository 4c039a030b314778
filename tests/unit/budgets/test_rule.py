"""A budget made ready: money is what was written, to the nano-dollar."""

import pytest

from openai_gateway.budgets.rule import Rule, nano_of, rules
from openai_gateway.config.kinds import Setting
from openai_gateway.config.policy import Budget
from openai_gateway.config.secrets import Resolver
from openai_gateway.core.secret import Secret
from tests.budgets.rig import budget


@pytest.mark.parametrize(
    ("usd", "nanos"),
    [
        (25.0, 25_000_000_000),
        (0.1, 100_000_000),
        (0.29, 290_000_000),
        (1e-9, 1),
        (1.4e-9, 1),
        (1.5e-9, 2),
        (1e9, 10**18),
        (123456.789012345, 123_456_789_012_345),
    ],
)
def test_dollars_become_the_nano_dollars_that_were_written(usd: float, nanos: int) -> None:
    assert nano_of(usd) == nanos


def test_a_budget_as_gateway_yaml_says_it() -> None:
    setting = Setting("staging", Resolver({"HOOK": "https://hooks.example/x"}))
    said = {"name": "team", "usd": 25.0, "period": "month", "timezone": "Europe/Berlin",
            "alert_at": (1.0, 0.5, 0.5), "webhook": "env:HOOK", "hard": False,
            "reserve": "worst"}  # fmt: skip
    made = Budget.model_validate(said, context=setting)
    (rule,) = rules([made], lambda path: f"gateway.yaml:{path}")
    assert rule == Rule(
        "team", 25 * 10**9, "month", "Europe/Berlin", False, True, (0.5, 1.0),
        "gateway.yaml:budgets.0", (Secret("https://hooks.example/x"),),
    )  # fmt: skip
    assert "hooks.example" not in repr(rule)


def test_a_budget_s_own_webhook_takes_the_place_of_those_for_all() -> None:
    setting = Setting("staging", Resolver({"HOOK": "https://hooks.example/x"}))
    said = {"usd": 1.0, "period": "day"}
    own = Budget.model_validate({"name": "a", "webhook": "env:HOOK", **said}, context=setting)
    other = Budget.model_validate({"name": "b", **said}, context=setting)
    everyone = [Secret("https://a.example/"), Secret("https://b.example/")]
    first, second = rules([own, other], webhooks=everyone)
    assert first.webhooks == (Secret("https://hooks.example/x"),)
    assert second.webhooks == tuple(everyone)
    assert rules([other])[0].webhooks == ()


def test_the_defaults_are_hard_expected_and_four_shares() -> None:
    (rule,) = rules([budget()])
    assert (rule.hard, rule.worst, rule.zone) == (True, False, "UTC")
    assert rule.thresholds(rule.limit) == (
        ("0.5", 500_000_000),
        ("0.8", 800_000_000),
        ("0.95", 950_000_000),
        ("1.0", 1_000_000_000),
    )


def test_a_threshold_is_reached_not_before_its_share() -> None:
    (rule,) = rules([budget(alert_at=(0.333, 1e-7, 2.5))])
    assert rule.thresholds(10) == (("1e-07", 1), ("0.333", 4), ("2.5", 25))
