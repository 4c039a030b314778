"""An ephemeral key is known from the answer that hands it out until it expires."""

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.secret import Secret
from openai_gateway.keys.minted import Minted

NOW = 1_800_000_000.0


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def value(word: str = "a") -> str:
    return "ek_" + word + "FAKE" * 8


def answer(word: str = "a", expires_at: object = NOW + 600, **more: object) -> bytes:
    return json.dumps({"value": value(word), "expires_at": expires_at, **more}).encode()


def inside(word: str = "a", expires_at: object = NOW + 60) -> bytes:
    secret = {"value": value(word), "expires_at": expires_at}
    return json.dumps({"object": "realtime.session", "client_secret": secret}).encode()


def minted(most: int = 100) -> Minted:
    return Minted(Clock(), most)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("realtime.secrets", answer()),
        ("realtime.secrets", answer(expires_at=int(NOW) + 600, session={"model": "gpt-realtime"})),
        ("realtime.translate.secrets", answer()),
        ("realtime.sessions", inside()),
        ("realtime.transcription_sessions", inside()),
    ],
)
def test_each_minting_answer_is_understood(endpoint: str, body: bytes) -> None:
    known = minted()
    known.learn(endpoint, "ci", body)
    assert known.owner(Secret(value())) == "ci"
    assert known.owner(Secret(value("b"))) is None


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("chat.create", answer()),
        ("unknown", answer()),
        ("realtime.secrets", inside()),
        ("realtime.sessions", answer()),
        ("realtime.secrets", b""),
        ("realtime.secrets", b"<html>"),
        ("realtime.secrets", b"[1, 2]"),
        ("realtime.sessions", b'["client_secret"]'),
        ("realtime.sessions", b'{"client_secret": "ek_FAKE"}'),
        ("realtime.sessions", b'{"client_secret": null}'),
        ("realtime.secrets", b'{"expires_at": 1800000060}'),
        ("realtime.secrets", json.dumps({"value": value()}).encode()),
        ("realtime.secrets", answer(expires_at=None)),
        ("realtime.secrets", answer(expires_at=True)),
        ("realtime.secrets", answer(expires_at="1800000060")),
        ("realtime.secrets", answer(expires_at=NOW)),
        ("realtime.secrets", answer(expires_at=NOW - 1)),
        ("realtime.secrets", answer(expires_at=NOW + 24 * 3600 + 1)),
        ("realtime.secrets", answer(expires_at=1e308)),
        ("realtime.secrets", answer(expires_at=NOW * 1000)),
        ("realtime.secrets", answer(expires_at=NOW + 60, padding="x" * 256 * 1024)),
        ("realtime.secrets", answer("x" * 4096)),
        ("realtime.secrets", b'{"value": "", "expires_at": 1800000060}'),
        ("realtime.secrets", b'{"value": 1, "expires_at": 1800000060}'),
        ("realtime.secrets", b'{"value": "sk-proj-FAKE", "expires_at": 1800000060}'),
        ("realtime.secrets", b'{"value": "ek_\\ud800", "expires_at": 1800000060}'),
        ("realtime.secrets", b"[" * 100_000),
    ],
)
def test_anything_else_teaches_nothing(endpoint: str, body: bytes) -> None:
    known = minted()
    known.learn(endpoint, "ci", body)
    assert len(known) == 0


@given(st.binary(max_size=200))
def test_no_answer_makes_it_fail(body: bytes) -> None:
    known = minted()
    known.learn("realtime.sessions", "ci", body)
    assert len(known) == 0


def test_a_key_is_known_to_the_second_of_its_end_and_then_leaves() -> None:
    clock = Clock()
    known = Minted(clock, 100)
    known.learn("realtime.secrets", "ci", answer(expires_at=NOW + 10))
    clock.time = NOW + 9.9
    assert known.owner(Secret(value())) == "ci"
    clock.time = NOW + 10
    assert known.owner(Secret(value())) is None
    known.learn("realtime.secrets", "ci", answer("b"))
    assert len(known) == 1


def test_when_it_is_full_the_key_that_ends_first_is_forgotten() -> None:
    known = minted(most=3)
    for word, lifetime in (("a", 300), ("b", 100), ("c", 200), ("d", 400), ("e", 500)):
        known.learn("realtime.secrets", "ci", answer(word, NOW + lifetime))
    assert len(known) == 3
    assert [word for word in "abcde" if known.owner(Secret(value(word)))] == ["a", "d", "e"]


def test_a_key_seen_again_stays_with_whom_it_was_minted_for() -> None:
    known = minted()
    known.learn("realtime.secrets", "ci", answer())
    known.learn("realtime.secrets", "other", answer(expires_at=NOW + 900))
    assert len(known) == 1
    assert known.owner(Secret(value())) == "ci"


def test_one_that_expired_may_be_learnt_anew() -> None:
    clock = Clock()
    known = Minted(clock, 100)
    known.learn("realtime.secrets", "ci", answer(expires_at=NOW + 10))
    clock.time = NOW + 20
    known.learn("realtime.secrets", "other", answer(expires_at=NOW + 900))
    assert known.owner(Secret(value())) == "other"


def test_the_key_itself_is_not_kept() -> None:
    known = minted()
    known.learn("realtime.secrets", "ci", answer())
    reached, seen = [known], set()
    while reached:
        thing = reached.pop()
        if id(thing) not in seen and isinstance(thing, Minted | dict | list | tuple | str):
            seen.add(id(thing))
            assert thing != value()
            reached += gc.get_referents(thing)


def test_what_one_worker_learns_the_other_is_told_without_the_key() -> None:
    told: list[tuple[str, str, float]] = []
    one, other = minted(), minted()
    one.tell = lambda *note: told.append(note)
    one.learn("realtime.secrets", "default", answer())
    one.learn("realtime.secrets", "default", b"{}")
    ((digest, mapping, until),) = told
    assert value() not in digest
    other.told(digest, mapping, until)
    assert other.owner(Secret(value())) == "default"


def test_a_key_that_has_expired_on_the_way_is_not_remembered() -> None:
    other = minted()
    other.told("sha256:00", "default", NOW)
    assert len(other) == 0
