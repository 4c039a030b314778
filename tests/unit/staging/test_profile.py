"""The timing of a profile file: read, or refused with every fault's place."""

from pathlib import Path

import pytest

from openai_gateway.api.price_file import PriceFileError
from openai_gateway.staging.profile import LearnedLatency, LearnedQuantiles, load


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "production.yaml"
    path.write_text(text)
    return path


def test_a_learned_profile_is_read(tmp_path: Path) -> None:
    text = (
        "limits: {}\nlatency:\n  gpt-6-luna:\n    ttft_ms: {p50: 412.5, p95: 1500}\n"
        "    tokens_per_s: 61\n  gpt-6-sol: {ttft_ms: {p50: 1, p95: 1}, tokens_per_s: null}\n"
    )
    assert load(written(tmp_path, text)) == {
        "gpt-6-luna": LearnedLatency(LearnedQuantiles(412.5, 1500), 61),
        "gpt-6-sol": LearnedLatency(LearnedQuantiles(1, 1), None),
    }


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("limits: {}\n", "1:1: (file)", "lacks `latency`"),
        ("latency: {m: {}}\n", "1:14: latency.m", "lacks `ttft_ms`"),
        ("latency: {m: {ttft_ms: {p50: 1}}}\n", "1:24: latency.m.ttft_ms", "lacks `p95`"),
        ("latency: {m: {ttft_ms: {p50: 9, p95: 1}}}\n", "1:38: latency.m.ttft_ms.p95", "below"),
        ("latency: {m: {ttft_ms: {p50: 0, p95: 1}}}\n", "1:30: latency.m.ttft_ms.p50", "is 0"),
        ("latency: {m: {ttft_ms: {p50: -1, p95: 1}}}\n", "1:30: latency.m.ttft_ms.p50", ""),
        ("latency: {m: {ttft_ms: {p50: 1, p95: 1e9}}}\n", "1:38: latency.m.ttft_ms.p95", "hour"),
        (
            "latency:\n  m: {ttft_ms: {p50: 1, p95: 1}, tokens_per_s: 0}\n",
            "2:48: latency.m.tokens_per_s", "above 0",
        ),
        ("latency: {m: {ttft: 1}}\n", "1:15: latency.m.ttft", "did you mean ttft_ms"),
    ],
)  # fmt: skip
def test_impossible_numbers_are_told_with_their_place(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PriceFileError) as error:
        load(path)
    told = str(error.value)
    assert f"{path}:{place}: " in told
    assert words in told
