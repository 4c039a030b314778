"""A Secret shows nothing of itself unless it is asked to by name."""

import hashlib
import pickle

import pytest

from openai_gateway.core.secret import Secret

VALUE = "sk-proj-" + "FAKE" * 10 + "tail"


def test_repr_shows_the_kind_and_the_last_four_characters_only() -> None:
    assert repr(Secret(VALUE)) == "Secret(sk-proj-…tail)"


@pytest.mark.parametrize("value", ["", "short", "sk-" + "x" * 16])
def test_a_short_value_shows_nothing_of_its_end(value: str) -> None:
    masked = Secret(value).masked()
    assert masked in ("…", "sk-…")


@pytest.mark.parametrize("show", [str, "{}".format, "{:>9}".format, lambda s: f"{s}", "%s".__mod__])
def test_turning_it_into_text_raises(show) -> None:
    with pytest.raises(TypeError, match="reveal"):
        show(Secret(VALUE))


def test_it_is_never_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))


def test_reveal_gives_the_value_and_fingerprint_its_sha256() -> None:
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    assert secret.fingerprint() == "sha256:" + hashlib.sha256(VALUE.encode()).hexdigest()


def test_equal_values_are_equal_and_hash_alike_but_a_text_is_never_equal() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert {Secret(VALUE), Secret(VALUE)} == {Secret(VALUE)}
    assert Secret(VALUE) != Secret(VALUE + "x")
    assert Secret(VALUE) != VALUE


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


def test_a_digest_is_the_fingerprint_to_be_compared() -> None:
    assert Secret(VALUE).digest() == hashlib.sha256(VALUE.encode()).digest()
    assert Secret(VALUE).fingerprint() == f"sha256:{Secret(VALUE).digest().hex()}"
