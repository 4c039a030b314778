"""Which limits hold for a call: rules in their order, then the profile, then the tier."""

from pathlib import Path

import pytest

from openai_gateway.config.load import read
from openai_gateway.config.policy import Limits as Policy
from openai_gateway.limits.limit import Limit
from openai_gateway.limits.profile import Profile
from openai_gateway.limits.rulings import MOST_CACHED, Facts, Ruling, Rulings
from openai_gateway.limits.tiers import Tiers

ENV = {
    "OPENAI_API_KEY_PRODUCTION": "sk-proj-" + "FAKE" * 10,
    "OPENAI_API_KEY_STAGING": "sk-proj-" + "FAKE" * 11,
}
CALL = Facts("default", "gpt-5-mini", "ci", "chat.create")


def policy(limits: str) -> Policy:
    return read(f"keys: {{}}\nlimits:\n{limits}", ENV).config.limits


def ruling(limits: str, facts: Facts = CALL, **more: object) -> Ruling:
    loaded = read(f"keys: {{}}\nlimits:\n{limits}", ENV)
    return Rulings(loaded.config.limits, loaded.where, **more).of(facts)


def told(found: Ruling) -> dict[str, tuple[int, str]]:
    return {limit.kind: (limit.amount, limit.rule) for limit in found.limits}


RULES = """  rules:
    - {name: mini, match: {model: "gpt-5-mini*"}, per: [key, model], rpm: 3, tpm: 1000}
    - {name: five, match: {model: ["gpt-5*", "gpt-6*"]}, rpm: 10, rpd: 50, concurrency: 2}
    - {name: ci, match: {client: ci, endpoint: "chat.*"}, per: [client], rpd: 7, tpd: 9000, ipm: 4}
"""


@pytest.mark.parametrize(
    ("facts", "limits"),
    [
        (
            CALL,
            {
                "rpm": (3, "mini"), "tpm": (1000, "mini"), "rpd": (50, "five"),
                "tpd": (9000, "ci"), "ipm": (4, "ci"), "concurrency": (2, "five"),
            },
        ),
        (
            CALL._replace(model="gpt-6-luna", client="10.0.0.1"),
            {"rpm": (10, "five"), "rpd": (50, "five"), "concurrency": (2, "five")},
        ),
        (
            CALL._replace(model="o3"),
            {"rpd": (7, "ci"), "tpd": (9000, "ci"), "ipm": (4, "ci")},
        ),
        (CALL._replace(model="o3", endpoint="responses.create"), {}),
        (CALL._replace(model=""), {"rpd": (7, "ci"), "tpd": (9000, "ci"), "ipm": (4, "ci")}),
    ],
)  # fmt: skip
def test_the_first_rule_that_names_a_kind_wins_for_it(facts: Facts, limits: dict) -> None:
    assert told(ruling(RULES, facts)) == limits


@pytest.mark.parametrize(
    ("per", "bucket", "labels"),
    [
        ("[]", "rule:r", ("all", "all")),
        ("[key]", "rule:r|key=default", ("default", "all")),
        ("[model]", "rule:r|model=gpt-5-mini", ("all", "gpt-5-mini")),
        ("[client, endpoint]", "rule:r|client=ci|endpoint=chat.create", ("all", "all")),
        ("[model, key]", "rule:r|key=default|model=gpt-5-mini", ("default", "gpt-5-mini")),
    ],
)
def test_a_bucket_is_what_its_rule_is_per(per: str, bucket: str, labels: tuple) -> None:
    (limit,) = ruling(f"  rules: [{{name: r, per: {per}, rpm: 3}}]\n").limits
    assert limit == Limit("rpm", 3, bucket, "r", "gateway.yaml:3", labels)


def test_a_limit_per_nothing_is_one_bucket_for_all() -> None:
    text = "  rules: [{name: r, rpm: 3}]\n"
    other = Facts("ci", "o3", "10.0.0.9", "responses.create")
    assert ruling(text).limits == ruling(text, other).limits


def test_a_call_without_a_model_has_a_bucket_of_its_own() -> None:
    (limit,) = ruling("  rules: [{per: [model], rpm: 3}]\n", CALL._replace(model="")).limits
    assert (limit.bucket, limit.labels) == ("rule:rule-1|model=unknown", ("all", "unknown"))


def test_the_line_in_a_message_is_that_of_the_rule() -> None:
    found = ruling(RULES)
    assert [limit.where for limit in found.limits] == [
        f"gateway.yaml:{line}" for line in (4, 4, 5, 6, 6, 5)
    ]


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "profile.yaml"
    path.write_text("limits: {gpt-5-mini: {rpm: 40, tpm: 5000}}\n")
    return Profile.load(path)


TIERS = Tiers.load(Path("rules/limits.yaml"))


def test_rules_come_before_the_profile_and_the_profile_before_the_tier(profile: Profile) -> None:
    found = ruling(
        "  tier: 1\n  profile: p.yaml\n  rules: [{name: r, rpm: 3}]\n", tiers=TIERS, profile=profile
    )
    assert told(found) == {"rpm": (3, "r"), "tpm": (5000, "profile")}
    image = CALL._replace(model="gpt-image-2")
    found = ruling("  tier: 1\n  rules: [{name: r, rpm: 3}]\n", image, tiers=TIERS)
    assert told(found) == {"rpm": (3, "r"), "tpm": (100_000, "tier 1"), "ipm": (5, "tier 1")}


def test_a_tier_has_a_bucket_for_each_pool_and_all_keys_share_it() -> None:
    one = ruling("  tier: 3\n", CALL._replace(model="gpt-4o"), tiers=TIERS)
    other = Facts("other", "gpt-4o-audio-preview-2024-12-17", "x", "responses.create")
    assert ruling("  tier: 3\n", other, tiers=TIERS).limits == one.limits
    assert one.limits[0] == Limit(
        "rpm", 5000, "tier 3|model=gpt-4o", "tier 3", "gateway.yaml:3", ("all", "gpt-4o")
    )


def test_a_tier_says_nothing_of_calls_without_a_model() -> None:
    assert ruling("  tier: 3\n", CALL._replace(model=""), tiers=TIERS).limits == ()


def test_a_long_input_is_held_to_the_limits_of_long_context() -> None:
    found = ruling("  tier: 1\n", CALL._replace(model="gpt-4.1"), tiers=TIERS)
    usual = {limit.kind: limit.amount for limit in found.at(128_000)}
    long = {limit.kind: limit.amount for limit in found.at(128_001)}
    assert (usual, long) == ({"rpm": 500, "tpm": 30_000}, {"rpm": 100, "tpm": 200_000})
    assert {one.bucket for one in found.at(0)}.isdisjoint(one.bucket for one in found.at(200_000))


def test_a_rule_holds_for_long_inputs_too() -> None:
    found = ruling("  tier: 1\n  rules: [{name: r, rpm: 3}]\n", CALL._replace(model="gpt-4.1"), tiers=TIERS)  # fmt: skip  # noqa: E501 - one line reads as the configuration
    assert [(one.kind, one.amount) for one in found.at(10**6)] == [("rpm", 3), ("tpm", 200_000)]


@pytest.mark.parametrize(
    ("limits", "weighs"),
    [("{rpm: 3, rpd: 4, concurrency: 1}", False), ("{tpd: 1}", True), ("{rpm: 1, ipm: 1}", True)],
)
def test_only_limits_of_tokens_and_images_need_an_estimate(limits: str, weighs: bool) -> None:
    assert ruling(f"  rules: [{limits}]\n").weighs is weighs


def test_a_ruling_is_worked_out_once_and_the_memory_of_them_is_bounded() -> None:
    rulings = Rulings(policy("  rules: [{rpm: 3}]\n"), lambda _: "")
    first = rulings.of(CALL)
    assert rulings.of(CALL) is first
    for number in range(MOST_CACHED):
        rulings.of(CALL._replace(model=f"made-up-{number}"))
    again = rulings.of(CALL)
    assert again == first
    assert again is not first
