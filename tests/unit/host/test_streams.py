"""The masker: whole keys never pass, everything else does, however the stream is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.secret import mask
from openai_gateway.host.streams import Masker

KEY = b"sk-proj-" + b"FAKEfake" * 5
OTHER = b"sk-svcacct-" + b"FAKE1234" * 4
CUTS = st.lists(st.integers(0, 300), max_size=8)


def fed(data: bytes, cuts: list[int]) -> bytes:
    masker = Masker((KEY, OTHER))
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    parts = [data[a:b] for a, b in pairwise(places)]
    return b"".join(masker.feed(part) for part in parts) + masker.end()


@given(st.binary(max_size=80), st.binary(max_size=80), CUTS)
def test_a_key_is_masked_wherever_the_stream_is_cut(
    before: bytes, after: bytes, cuts: list[int]
) -> None:
    passed = fed(before + KEY + after, cuts)
    assert KEY not in passed
    assert len(passed) == len(before + KEY + after)


@given(st.text(alphabet="sk-projFAKE\n: {}", max_size=200), CUTS)
def test_what_holds_no_key_passes_byte_for_byte(text: str, cuts: list[int]) -> None:
    data = text.encode()
    if KEY not in data and OTHER not in data:
        assert fed(data, cuts) == data


def test_the_end_of_an_event_is_never_held_back() -> None:
    masker = Masker((KEY,))
    event = b'data: {"choices": []}\n\n'
    assert masker.feed(event) == event
    assert masker.feed(b"ends in s") == b"ends in "
    assert masker.feed(b"omething") == b"something"


def test_only_the_beginning_of_a_key_is_held_back_and_given_back_at_the_end() -> None:
    masker = Masker((KEY,))
    assert masker.feed(b"x" + KEY[:-1]) == b"x"
    assert masker.end() == KEY[:-1]
    assert masker.end() == b""


def test_mask_keeps_the_length() -> None:
    assert mask(b"<" + KEY + b">", (KEY,)) == b"<" + b"*" * len(KEY) + b">"
