"""The ring knows its keys by value and by fingerprint, and compares with all of them each time."""

import hashlib
from dataclasses import dataclass

import pytest

from openai_gateway.core.secret import Secret
from openai_gateway.keys import mapping
from openai_gateway.keys.mapping import Found, Identity, KeyMapping, KeyRing, Match


def key(word: str, prefix: str = "sk-proj-") -> Secret:
    return Secret(prefix + word + "FAKE" * 8)


def identity(name: str, secret: Secret, by_value: bool = True) -> Identity:
    digest = hashlib.sha256(secret.reveal().encode()).digest()
    return Identity(name, digest, secret if by_value else None)


A = KeyMapping("a", (identity("a", key("A1")), identity("a", key("A2"), by_value=False)),
               key("StagingA"))  # fmt: skip
B = KeyMapping("b", (identity("b", key("B1"), by_value=False),), key("StagingB"), "org-b", "proj-b")
RING = KeyRing([A, B], accept_staging=True, unknown=None)


@pytest.mark.parametrize(
    ("credential", "match"),
    [
        (key("A1"), Match(Found.PRODUCTION, A)),
        (key("A2"), Match(Found.PRODUCTION, A)),
        (key("B1"), Match(Found.PRODUCTION, B)),
        (key("StagingA"), Match(Found.STAGING, A)),
        (key("StagingB"), Match(Found.STAGING, B)),
        (key("C1"), Match(Found.UNKNOWN)),
        (Secret(key("A1").reveal() + "x"), Match(Found.UNKNOWN)),
        (Secret(key("A1").reveal()[:-1]), Match(Found.UNKNOWN)),
        (Secret(key("A1").reveal().lower()), Match(Found.UNKNOWN)),
        (Secret(""), Match(Found.UNKNOWN)),
    ],
)
def test_each_key_is_known_for_what_it_is(credential: Secret, match: Match) -> None:
    assert RING.identify(credential) == match


@pytest.mark.parametrize("prefix", ["sk-admin-", "sess-", "ek_", "whsec_"])
def test_a_refused_kind_never_passes_even_where_it_is_mapped_or_stood_in_for(prefix: str) -> None:
    bad = key("X", prefix)
    mapped = KeyMapping("m", (identity("m", bad, by_value=False),), key("S"))
    ring = KeyRing([mapped], accept_staging=True, unknown="m")
    assert ring.identify(bad) == Match(Found.REFUSED_KIND)


def test_an_unknown_key_gets_its_stand_in_and_a_known_one_its_own_mapping() -> None:
    ring = KeyRing([A, B], accept_staging=True, unknown="b")
    assert ring.identify(key("C1")) == Match(Found.STAND_IN, B)
    assert ring.identify(key("A1")) == Match(Found.PRODUCTION, A)


def test_a_key_that_is_both_production_and_staging_counts_as_production() -> None:
    both = KeyMapping("both", (identity("both", key("X")),), key("X"))
    ring = KeyRing([KeyMapping("first", (), key("X")), both], accept_staging=True, unknown=None)
    assert ring.identify(key("X")) == Match(Found.PRODUCTION, both)


@pytest.mark.parametrize("word", ["A1", "A2", "B1", "StagingA", "StagingB", "nobody"])
def test_every_digest_is_compared_whichever_matches(word: str, monkeypatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(mapping.hmac, "compare_digest", compare)
    RING.identify(key(word))
    digest = hashlib.sha256(key(word).reveal().encode()).digest()
    known = [hashlib.sha256(key(w).reveal().encode()).digest()
             for w in ("A1", "A2", "B1", "StagingA", "StagingB")]  # fmt: skip
    assert compared == [(digest, other) for other in known]


def test_production_keys_are_listed_with_their_mapping_s_name() -> None:
    listed = RING.productions()
    assert [(one.name, one.secret) for one in listed] == [
        ("a", key("A1")), ("a", None), ("b", None),
    ]  # fmt: skip
    assert listed[1].digest == hashlib.sha256(key("A2").reveal().encode()).digest()


def test_a_mapping_is_found_by_its_name() -> None:
    assert RING.named("b") is B
    assert RING.named("c") is None


def test_a_stand_in_that_is_no_mapping_and_two_of_one_name_are_faults() -> None:
    with pytest.raises(KeyError):
        KeyRing([A], accept_staging=True, unknown="b")
    with pytest.raises(ValueError, match="one name"):
        KeyRing([A, A], accept_staging=True, unknown=None)


def test_nothing_of_a_key_shows() -> None:
    shown = repr((RING.identify(key("A1")), RING.productions()))
    assert "FAKEFAKE" not in shown
    assert identity("a", key("A1")).digest.hex() not in shown


@dataclass(frozen=True)
class Reference:
    secret: Secret


@dataclass(frozen=True)
class Key:
    digest: bytes
    secret: Secret | None


@dataclass(frozen=True)
class Entry:
    name: str
    production: tuple[Key, ...]
    staging: Reference | None
    organization: str | None = None
    project: str | None = None


@dataclass(frozen=True)
class Keys:
    mappings: tuple[Entry, ...]
    staging: str = "accept"
    unknown: str = "reject"


def configured(**changes: str) -> KeyRing:
    entries = (
        Entry("a", (Key(A.productions[0].digest, key("A1")),), Reference(key("StagingA"))),
        Entry("b", (Key(B.productions[0].digest, None),), None, "org-b", "proj-b"),
    )
    return KeyRing.from_config(Keys(entries, **changes))


def test_the_configuration_s_mappings_become_the_ring() -> None:
    ring = configured()
    assert ring.identify(key("A1")) == Match(
        Found.PRODUCTION, KeyMapping("a", (A.productions[0],), key("StagingA"))
    )
    assert ring.identify(key("B1")).mapping == KeyMapping(
        "b", (Identity("b", B.productions[0].digest),), None, "org-b", "proj-b"
    )
    assert ring.identify(key("C1")).found is Found.UNKNOWN


@pytest.mark.parametrize(("word", "accepts"), [("accept", True), ("reject", False), ("x", False)])
def test_only_the_word_accept_accepts_staging_keys(word: str, accepts: bool) -> None:
    assert configured(staging=word).accept_staging is accepts


def test_unknown_names_the_stand_in() -> None:
    assert configured(unknown="a").identify(key("C1")).found is Found.STAND_IN
