"""OpenAI's published limits: what the file says, which model they hold for, and its faults."""

from pathlib import Path

import pytest

from openai_gateway.api.price_file import PriceFileError
from openai_gateway.limits.tiers import TIERS, Published, Tiers, listed_as

SHIPPED = Tiers.load(Path("rules/limits.yaml"))

GOOD = """as_of: 2026-11-24
source: {page: "OpenAI's model pages"}
default:
  tiers: {1: {rpm: 3000}, 2: {rpm: 3000}, 3: {rpm: 3000}, 4: {rpm: 3000}, 5: {rpm: 3000}}
  check: {by: [page], seen: 2026-10, sure: one}
families:
  small:
    models: [[gpt-9, gpt-9-audio], gpt-9-mini]
    tiers: {1: {rpm: 5, tpm: 60}, 2: {rpm: 6}, 3: {rpm: 7}, 4: {rpm: 8}, 5: {rpm: 9}}
    check: {by: [page], seen: 2026-10-05, sure: agree}
long_context:
  small:
    models: [gpt-9]
    above_input_tokens: 40
    tiers: {1: {rpm: 1}, 2: {rpm: 2}, 3: {rpm: 3}, 4: {rpm: 4}, 5: {rpm: 5}}
    check: {by: [page], seen: 2026-10-05, sure: one}
"""


def load(tmp_path: Path, text: str) -> Tiers:
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    return Tiers.load(path)


@pytest.mark.parametrize(
    ("tier", "model", "pool", "amounts"),
    [
        # read off OpenAI's pages by hand
        (1, "gpt-6-luna", "gpt-6-luna", {"rpm": 500, "tpm": 500_000}),
        (5, "gpt-6-luna", "gpt-6-luna", {"rpm": 30_000, "tpm": 180_000_000}),
        (3, "gpt-6.1-sol", "gpt-6.1-sol", {"rpm": 5000, "tpm": 2_000_000}),
        (4, "gpt-6-astra", "gpt-6-astra", {"rpm": 10_000, "tpm": 4_000_000}),
        (2, "gpt-5-nano", "gpt-5-nano", {"rpm": 5000, "tpm": 2_000_000}),
        (1, "gpt-4.1-mini", "gpt-4.1-mini", {"rpm": 500, "rpd": 10_000, "tpm": 200_000}),
        (2, "gpt-4.1-mini", "gpt-4.1-mini", {"rpm": 5000, "tpm": 2_000_000}),
        (1, "gpt-image-2", "gpt-image-2", {"tpm": 100_000, "ipm": 5}),
        (5, "whisper-1", "whisper-1", {"rpm": 10_000}),
        (1, "gpt-5-mini-2025-08-07", "gpt-5-mini", {"rpm": 500, "tpm": 500_000}),
        (1, "gpt-4o-audio-preview-2024-12-17", "gpt-4o", {"rpm": 500, "tpm": 30_000}),
        (1, "gpt-5.6", "gpt-5.6-sol", {"rpm": 500, "tpm": 500_000}),
        (4, "ft:gpt-4o-2024-08-06:acme::x", "gpt-4o", {"rpm": 10_000, "tpm": 2_000_000}),
        (
            3,
            "omni-moderation-2024-09-26",
            "omni-moderation-latest",
            {"rpm": 1000, "tpm": 50_000},
        ),
        (1, "gpt-9-unheard-of", "gpt-9-unheard-of", {"rpm": 3000, "tpm": 250_000}),
    ],
)
def test_the_shipped_file_says_what_openai_publishes(
    tier: int, model: str, pool: str, amounts: dict
) -> None:
    found = SHIPPED.of(tier, model)
    assert (found.pool, dict(found.amounts)) == (pool, amounts)


def test_long_context_has_its_own_limits() -> None:
    found = SHIPPED.of(1, "gpt-4.1")
    assert (found.above, dict(found.long)) == (128_000, {"rpm": 100, "tpm": 200_000})
    assert SHIPPED.of(1, "gpt-6-luna").above is None


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_answers_for_every_listed_model_and_for_any_other(tier: int) -> None:
    for model in (*SHIPPED.names(), "no-such-model"):
        assert SHIPPED.of(tier, model).amounts


def test_models_of_one_pool_share_it(tmp_path: Path) -> None:
    tiers = load(tmp_path, GOOD)
    assert tiers.of(1, "gpt-9-audio") == Published("gpt-9", {"rpm": 5, "tpm": 60}, 40, {"rpm": 1})
    assert tiers.of(2, "gpt-9-mini") == Published("gpt-9-mini", {"rpm": 6})
    assert tiers.as_of == "2026-11-24"


def test_a_name_is_looked_up_from_the_most_exact_on() -> None:
    assert list(listed_as("ft:gpt-9-2026-01-02:acme::x")) == [
        "ft:gpt-9-2026-01-02:acme::x",
        "ft:gpt-9-2026-01-02:acme::x",
        "gpt-9-2026-01-02",
        "gpt-9",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("as_of: 2026-11-24\n", "", "1:1: (file): lacks `as_of`; add it"),
        ("1: {rpm: 5, tpm: 60}", "1: {rpm: 0}", "tiers.1.rpm: must be a whole number from 1 on"),
        ("{rpm: 6}", "{rmp: 6}", "tiers.2.rmp: is unknown; did you mean rpm?"),
        ("{rpm: 6}", "{tpd: 6}", "tiers.2.tpd: is unknown; did you mean"),
        (", 5: {rpm: 9}}", "}", "families.small.tiers: lacks `5`; add it"),
        (", 5: {rpm: 3000}}", ", 6: {rpm: 1}}", "default.tiers.6: is unknown"),
        ("[[gpt-9, gpt-9-audio], gpt-9-mini]", "[gpt-9, gpt-9]", "models.1: is listed twice"),
        ("    models: [gpt-9]\n", "    models: [gpt-8]\n", "models.0: is no model that `families`"),
        ("    above_input_tokens: 40\n", "", "long_context.small: lacks `above_input_tokens`"),
        ("by: [page], seen: 2026-10, sure", "by: [hearsay], seen: 2026-10, sure", "is not one of"),
        ("seen: 2026-10, sure: one", "seen: lately, sure: one", "must be a month or a day"),
        ("sure: agree}", "sure: differ}", "check.sure: needs a note that says why"),
        ("  check: {by: [page], seen: 2026-10, sure: one}\n", "", "default: lacks `check`; add it"),
        ("sure: agree}", "}", "families.small.check: lacks `sure`; add it"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(PriceFileError) as told:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(told.value)
    assert str(told.value).startswith(f"{tmp_path / 'limits.yaml'}:")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError) as told:
        load(tmp_path, "as_of: tomorrow\nfamilies: {a: {models: [x], tiers: {1: {rpm: -1}}}}\n")
    assert len(told.value.faults) > 5
