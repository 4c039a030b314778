"""Production's own limits, as `profile learn` writes them."""

from pathlib import Path

import pytest

from openai_gateway.api.price_file import PriceFileError
from openai_gateway.limits.profile import Profile

LEARNT = """limits:
  gpt-5-mini: {rpm: 500, tpm: 200000}
  gpt-6-luna: {tpd: 5, concurrency: 3}
latency:
  gpt-5-mini: {ttft_ms: {p50: 300, p95: 900}, tokens_per_s: 80}
"""


def load(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    return Profile.load(path)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("gpt-5-mini", ("gpt-5-mini", {"rpm": 500, "tpm": 200_000})),
        ("gpt-5-mini-2025-08-07", ("gpt-5-mini", {"rpm": 500, "tpm": 200_000})),
        ("ft:gpt-5-mini:acme::x", ("gpt-5-mini", {"rpm": 500, "tpm": 200_000})),
        ("gpt-6-luna", ("gpt-6-luna", {"tpd": 5, "concurrency": 3})),
        ("gpt-5", None),
    ],
)
def test_a_model_has_production_s_limits(tmp_path: Path, model: str, found: object) -> None:
    assert load(tmp_path, LEARNT).of(model) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency: {}\n", "1:1: (file): lacks `limits`"),
        ("limits: {m: {rpm: 0}}\n", "1:19: limits.m.rpm: must be a whole number from 1 on"),
        ("limits: {m: {rmp: 1}}\n", "limits.m.rmp: is unknown; did you mean rpm?"),
        ("limits: [1]\n", "limits: must be a mapping"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PriceFileError) as told:
        load(tmp_path, text)
    assert said in str(told.value)
