"""A credential is found in each place where clients put one, and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.keys import KeyKind, Offer, Place, Unreadable, kind_of, offers
from openai_gateway.core.secret import Secret

KEY = "sk-proj-" + "FAKE" * 10
RAW = KEY.encode()


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("sk-proj-FAKE", KeyKind.PROJECT),
        ("sk-svcacct-FAKE", KeyKind.SERVICE),
        ("sk-admin-FAKE", KeyKind.ADMIN),
        ("sk-FAKE", KeyKind.LEGACY),
        ("sess-FAKE", KeyKind.SESSION),
        ("ek_FAKE", KeyKind.EPHEMERAL),
        ("whsec_FAKE", KeyKind.WEBHOOK),
        ("eyJhbGciOi.FAKE", KeyKind.OTHER),
        ("", KeyKind.OTHER),
        ("SK-PROJ-FAKE", KeyKind.OTHER),
    ],
)
def test_the_kind_of_a_key_goes_by_its_prefix(key: str, kind: KeyKind) -> None:
    assert kind_of(Secret(key)) is kind


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer " + RAW,
        b"bearer " + RAW,
        b"BEARER   " + RAW + b"  ",
        b" \tBearer " + RAW,
        basic(f":{KEY}"),
        basic(f"{KEY}:"),
        b"bASIC  " + basic(f":{KEY}")[6:].rstrip(b"="),
    ],
)
def test_bearer_and_basic_both_carry_the_key(value: bytes) -> None:
    assert offers([(b"Authorization", value)]) == [Offer(Place.HEADER, Secret(KEY))]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", Unreadable.EMPTY),
        (b"  ", Unreadable.EMPTY),
        (b"Bearer", Unreadable.EMPTY),
        (b"Bearer ", Unreadable.EMPTY),
        (b"Basic", Unreadable.EMPTY),
        (basic(":"), Unreadable.EMPTY),
        (b"Bearer " + RAW + b", Bearer " + RAW, Unreadable.SEVERAL),
        (b"Bearer " + RAW + b"," + RAW, Unreadable.SEVERAL),
        (b"Bearer ,", Unreadable.SEVERAL),
        (basic(f"user:{KEY}"), Unreadable.SEVERAL),
        (basic(f"{KEY}:{KEY}"), Unreadable.SEVERAL),
        (RAW, Unreadable.MALFORMED),
        (b"Token " + RAW, Unreadable.MALFORMED),
        (b"Bearer " + RAW + b" " + RAW, Unreadable.MALFORMED),
        (b"Bearer\t" + RAW, Unreadable.MALFORMED),
        (b"Bearer sk-\xc3\xa9", Unreadable.MALFORMED),
        (b"Bearer sk-\x00", Unreadable.MALFORMED),
        (b"Basic !!!", Unreadable.MALFORMED),
        (b"Basic A", Unreadable.MALFORMED),
        (basic(KEY), Unreadable.MALFORMED),
        (basic(":key\nkey"), Unreadable.MALFORMED),
        (basic(":ké"), Unreadable.MALFORMED),
    ],
)
def test_what_holds_no_one_key_says_why(value: bytes, why: Unreadable) -> None:
    assert offers([(b"authorization", value)]) == [Offer(Place.HEADER, why)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"realtime, openai-insecure-api-key." + RAW, [Secret(KEY)]),
        (b"openai-insecure-api-key." + RAW + b",realtime", [Secret(KEY)]),
        (b"OpenAI-Insecure-API-Key." + RAW, [Secret(KEY)]),
        (b"realtime, openai-insecure-api-key.", [Unreadable.EMPTY]),
        (b"openai-insecure-api-key.a b", [Unreadable.MALFORMED]),
        (b"openai-insecure-api-key.a, openai-insecure-api-key.b", [Secret("a"), Secret("b")]),
        (b"realtime, openai-organization.org-1", []),
        (b"", []),
    ],
)
def test_the_subprotocol_carries_keys_in_tokens_of_their_own(value, found) -> None:
    read = offers([(b"Sec-WebSocket-Protocol", value)])
    assert read == [Offer(Place.SUBPROTOCOL, key) for key in found]


def test_every_place_counts_in_order() -> None:
    headers = [
        (b"AUTHORIZATION", b"Bearer a"),
        (b"sec-websocket-protocol", b"openai-insecure-api-key.b"),
        (b"authorization", b"Bearer c"),
    ]
    assert [offer.key for offer in offers(headers)] == [Secret("a"), Secret("b"), Secret("c")]


@pytest.mark.parametrize("name", [b"api-key", b"x-api-key", b"proxy-authorization", b"cookie"])
def test_no_other_header_counts_as_a_credential(name: bytes) -> None:
    assert offers([(name, b"Bearer " + RAW)]) == []


def test_an_offer_does_not_show_its_key() -> None:
    assert KEY[-4:] not in repr(offers([(b"authorization", b"Bearer " + RAW)]))


@given(st.binary())
def test_any_header_is_read_without_a_fault_and_as_one_credential(value: bytes) -> None:
    assert len(offers([(b"authorization", value)])) == 1
