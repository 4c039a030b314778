"""What is reserved: each sum is worked out by hand, in nano-dollars a token."""

import pytest

from openai_gateway.budgets.asked import Asked, asked
from openai_gateway.budgets.estimate import LATELY, MOST_MODELS, Estimates, Lately
from tests.budgets.rig import chat, prices

CHAT = "chat.create"
# gpt-4.1: 2 dollars a million in, 8 out, at most 1,047,576 in and 32,768 out
MODEL = "gpt-4.1"


@pytest.fixture
def how() -> Estimates:
    return Estimates(prices(), Lately())


@pytest.mark.parametrize(
    ("what", "nanos"),
    [
        # 100 in x 1.3, 50 out
        (Asked(read=100, bound=50), 130 * 2000 + 50 * 8000),
        (Asked(read=100, bound=50, answers=3), 130 * 2000 + 150 * 8000),
        # the model's own limit, where none or a higher one is said
        (Asked(read=100), 130 * 2000 + 32_768 * 8000),
        (Asked(read=100, bound=10**9), 130 * 2000 + 32_768 * 8000),
        # input that is not seen may fill the model's window
        (Asked(read=100, bound=50, unseen=True), 1_047_576 * 2000 + 50 * 8000),
        # priority costs 3.5 and 14; flex is not in the list for it, batch is not asked for here
        (Asked(read=100, bound=50, tier="priority"), 130 * 3500 + 50 * 14_000),
        (Asked(read=100, bound=50, tier="auto"), 130 * 2000 + 50 * 8000),
        (Asked(read=100, bound=50, tier="nonsense"), 130 * 2000 + 50 * 8000),
        # 10 dollars for 1000 searches, 0.03 for 20 minutes of 1 GB of which 5 are charged
        (Asked(bound=0, most_units={"web_search": 10}), 10 * 10_000_000),
        (Asked(bound=0, most_units={"container:1g": 1}), 7_500_000),
        # a picture of 6240 tokens at 40 dollars a million
        (Asked(bound=0, pictures=2), 2 * 6240 * 40_000),
        (Asked(bound=0), 1),
    ],
)
def test_the_worst_of_a_chat(how: Estimates, what: Asked, nanos: int) -> None:
    assert how.worst(what, CHAT, MODEL) == nanos


def test_a_flex_call_may_be_charged_the_standard_price(how: Estimates) -> None:
    flex = Asked(read=100, bound=50, tier="flex")
    assert how.worst(flex, CHAT, "gpt-6-luna") == how.worst(
        Asked(read=100, bound=50), CHAT, "gpt-6-luna"
    )


def test_long_input_is_charged_the_long_prices(how: Estimates) -> None:
    # gpt-6-luna above 272,000: 0.25 dollars a million to write to the cache, 0.5 for half a day,
    # and 0.75 out; 250,000 x 1.3 is above
    what = Asked(read=250_000, bound=10)
    assert how.worst(what, CHAT, "gpt-6-luna") == 325_000 * 250 + 10 * 750
    what = Asked(read=250_000, bound=10, long_cache=True)
    assert how.worst(what, CHAT, "gpt-6-luna") == 325_000 * 500 + 10 * 750
    # and below: 0.125 and 0.5
    assert how.worst(Asked(read=100, bound=10), CHAT, "gpt-6-luna") == 130 * 125 + 10 * 500


def test_other_kinds_of_calls(how: Estimates) -> None:
    # text-embedding-3-small: 0.02 dollars a million
    assert how.worst(Asked(read=1000, bound=0), "embeddings.create", "text-embedding-3-small") == (
        1300 * 20
    )
    # tts-1: 15 dollars a million characters
    speech = asked(chat({"input": "a" * 100}, b"/v1/audio/speech"))
    assert speech is not None
    assert how.expected(speech, "audio.speech", "tts-1") == 100 * 15_000
    # whisper-1: 0.006 dollars a minute
    heard = Asked(bound=0, units={"second": 60}, most_units={"second": 600}, default="whisper-1")
    assert how.expected(heard, "audio.transcribe", None) == 6_000_000
    assert how.worst(heard, "audio.transcribe", None) == 60_000_000
    # gpt-image-1: 40 dollars a million of tokens drawn
    drawn = Asked(likely=1056, bound=6240, default="gpt-image-1")
    assert how.expected(drawn, "images.generate", None) == 1056 * 40_000
    assert how.worst(drawn, "images.generate", None) == 6240 * 40_000


def test_a_search_model_searches_in_every_call(how: Estimates) -> None:
    # gpt-4o-search-preview: 25 dollars for 1000 calls
    found = how.worst(Asked(bound=0), CHAT, "gpt-4o-search-preview")
    assert found == 25_000_000


def test_at_the_start_256_tokens_out_are_expected(how: Estimates) -> None:
    assert how.expected(Asked(read=100), CHAT, MODEL) == 100 * 2000 + 256 * 8000
    assert how.expected(Asked(read=100, bound=10), CHAT, MODEL) == 100 * 2000 + 10 * 8000
    assert how.expected(Asked(read=100, answers=2), CHAT, MODEL) == 100 * 2000 + 512 * 8000


def test_then_what_the_model_lately_cost(how: Estimates) -> None:
    how.note(MODEL, 900_000)
    how.note(MODEL, 1_000_001)
    assert how.expected(Asked(read=100), CHAT, MODEL) == 950_001
    for _ in range(LATELY):
        how.note(MODEL, 500_000)
    assert how.expected(Asked(read=100), CHAT, MODEL) == 500_000
    assert how.expected(Asked(read=100), CHAT, "gpt-4.1-mini") != 500_000


def test_what_is_expected_is_never_below_the_input_nor_above_the_worst(how: Estimates) -> None:
    how.note(MODEL, 500_000)
    assert how.expected(Asked(read=1000), CHAT, MODEL) == 1000 * 2000
    assert how.expected(Asked(read=10, bound=1), CHAT, MODEL) == 13 * 2000 + 8000


def test_the_memory_of_costs_is_bounded() -> None:
    lately = Lately()
    for number in range(MOST_MODELS + 5):
        lately.note(f"m{number}", 1)
    assert lately.of("m0") is None
    assert lately.of(f"m{MOST_MODELS + 4}") == 1
    assert len(lately._models) == MOST_MODELS


@pytest.mark.parametrize("model", ["unheard-of", None])
def test_what_has_no_price_reserves_next_to_nothing(how: Estimates, model: str | None) -> None:
    assert how.expected(Asked(read=100), CHAT, model) == 1
    assert how.worst(Asked(read=100), CHAT, model) == 1


def test_a_model_that_is_named_at_openai_may_be_the_dearest(how: Estimates) -> None:
    # o1-pro: 150 in and 600 out a million
    worst = how.worst(Asked(read=100, bound=50, any_model=True), "responses.create", None)
    assert worst >= 130 * 150_000 + 50 * 600_000


def test_unpriced_models_are_charged_as_the_dearest_where_that_is_assumed() -> None:
    how = Estimates(prices(), Lately(), assume_max=True)
    assert how.worst(Asked(read=100, bound=50), CHAT, "unheard-of") >= 50 * 600_000
    assert how.expected(Asked(read=100, bound=50), CHAT, "unheard-of") >= 50 * 600_000
    assert how.worst(Asked(read=100, bound=50), CHAT, MODEL) == 130 * 2000 + 50 * 8000
