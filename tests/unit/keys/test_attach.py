"""The departing key is put where the client's stood; no mistake of another stage lets one out."""

import hashlib

import pytest

from openai_gateway.core.call import Call, Header, Request
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import Pass
from openai_gateway.keys.attach import Attach, Unattachable
from openai_gateway.keys.mapping import Identity, KeyMapping, KeyRing


def key(word: str, prefix: str = "sk-proj-") -> Secret:
    return Secret(prefix + word + "FAKE" * 8)


def known(name: str, secret: Secret, by_value: bool = True) -> Identity:
    digest = hashlib.sha256(secret.reveal().encode()).digest()
    return Identity(name, digest, secret if by_value else None)


PRODUCTION, HASHED, STAGING = key("Production"), key("Hashed"), key("Staging")
BARE, OTHER_BARE, NOBODY = key("Bare"), key("OtherBare"), key("Nobody")
EPHEMERAL = key("minted", "ek_")
MAPPINGS = (
    KeyMapping("default", (known("default", PRODUCTION), known("default", HASHED, False)), STAGING),
    KeyMapping("bare", (known("bare", BARE, False),)),
    KeyMapping("other", (known("other", OTHER_BARE, False),)),
)
STAGE = Attach(KeyRing(MAPPINGS, accept_staging=True, unknown=None))
PLAIN = (b"accept", b"*/*")
TOKEN = b"openai-insecure-api-key."


def call_of(
    came: Secret | None,
    departing: Secret | None,
    *headers: Header,
    name: str = "default",
    environment: str = "staging",
) -> Call:
    request = Request("POST", "api.openai.com", b"/v1/responses", [PLAIN, *headers])
    call = Call(request, environment=environment, key=name)
    call.credential, call.departing = came, departing
    return call


def bearer(secret: Secret) -> Header:
    return b"authorization", b"Bearer " + secret.reveal().encode()


@pytest.mark.parametrize(
    ("came", "departing", "note"),
    [
        (PRODUCTION, STAGING, "swapped"),
        (NOBODY, STAGING, "swapped"),
        (STAGING, STAGING, "accepted"),
        (EPHEMERAL, EPHEMERAL, "minted"),
    ],
)
def test_the_departing_key_is_the_one_credential_that_leaves(came, departing, note: str) -> None:
    call = call_of(came, departing)
    assert STAGE.check(call) == Pass(note)
    assert call.request.headers == [PLAIN, bearer(departing)]


def test_a_subprotocol_key_is_put_back_into_its_place() -> None:
    header = (b"Sec-WebSocket-Protocol", b"realtime, " + TOKEN + b", x")
    call = call_of(PRODUCTION, STAGING, (b"sec-websocket-protocol", b"first"), header)
    assert STAGE.check(call) == Pass("swapped")
    filled = b"realtime, " + TOKEN + STAGING.reveal().encode() + b", x"
    assert call.request.headers == [
        PLAIN, (b"sec-websocket-protocol", b"first"), (header[0], filled),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        ((b"sec-websocket-protocol", TOKEN + b"," + TOKEN),),
        ((b"sec-websocket-protocol", TOKEN), (b"sec-websocket-protocol", TOKEN)),
    ],
)
def test_two_places_for_one_key_are_a_fault(headers) -> None:
    with pytest.raises(Unattachable, match="place"):
        STAGE.check(call_of(PRODUCTION, STAGING, *headers))


@pytest.mark.parametrize("secret", [BARE, OTHER_BARE])
def test_in_production_a_mapping_without_a_staging_key_sends_the_client_s_own(secret) -> None:
    name = "bare" if secret is BARE else "other"
    call = call_of(secret, secret, name=name, environment="production")
    assert STAGE.check(call) == Pass("own")
    assert call.request.headers == [PLAIN, bearer(secret)]


def test_in_production_a_stand_in_without_a_staging_key_sends_the_client_s_own() -> None:
    stage = Attach(KeyRing(MAPPINGS, accept_staging=True, unknown="bare"))
    call = call_of(NOBODY, NOBODY, name="bare", environment="production")
    assert stage.check(call) == Pass("own")


@pytest.mark.parametrize(
    ("came", "departing", "name", "environment"),
    [
        (None, STAGING, "default", "staging"),
        (PRODUCTION, None, "default", "staging"),
        (None, None, "default", "production"),
        # a production key, by value or by fingerprint
        (PRODUCTION, PRODUCTION, "default", "staging"),
        (HASHED, HASHED, "default", "staging"),
        (NOBODY, PRODUCTION, "default", "staging"),
        (STAGING, HASHED, "default", "staging"),
        (BARE, BARE, "bare", "staging"),
        # in production too where the mapping swaps, is another's or is none
        (PRODUCTION, PRODUCTION, "default", "production"),
        (BARE, BARE, "default", "production"),
        (BARE, BARE, "other", "production"),
        (BARE, BARE, "nobody", "production"),
        (BARE, OTHER_BARE, "other", "production"),
        # keys that nobody knows
        (NOBODY, NOBODY, "default", "staging"),
        (NOBODY, NOBODY, "bare", "production"),
        (PRODUCTION, NOBODY, "default", "staging"),
        (PRODUCTION, EPHEMERAL, "default", "staging"),
        (key("A", "sk-admin-"), key("A", "sk-admin-"), "default", "staging"),
        (key("A", "sk-admin-"), key("A", "sk-admin-"), "bare", "production"),
        (key("A", "sess-"), key("A", "sess-"), "default", "staging"),
    ],
)
def test_no_other_key_ever_leaves(came, departing, name: str, environment: str) -> None:
    call = call_of(came, departing, name=name, environment=environment)
    with pytest.raises(Unattachable) as fault:
        STAGE.check(call)
    assert call.request.headers == [PLAIN]
    assert "FAKE" not in str(fault.value)


def test_a_staging_key_that_is_also_a_production_key_does_not_leave() -> None:
    both = KeyMapping("both", (known("both", STAGING),), STAGING)
    stage = Attach(KeyRing([both], accept_staging=True, unknown=None))
    with pytest.raises(Unattachable):
        stage.check(call_of(NOBODY, STAGING, name="both"))


@pytest.mark.parametrize(
    "header",
    [
        bearer(PRODUCTION),
        bearer(NOBODY),
        (b"AUTHORIZATION", b"Digest x"),
        (b"sec-websocket-protocol", b"realtime, " + TOKEN + b"x"),
        (b"x-note", b"<" + PRODUCTION.reveal().encode() + b">"),
        (b"cookie", b"k=" + PRODUCTION.reveal().encode()),
        (PRODUCTION.reveal().encode(), b""),
    ],
)
@pytest.mark.parametrize("trailing", [False, True])
def test_nothing_leaves_beside_a_credential_that_is_still_there(header, trailing: bool) -> None:
    call = call_of(PRODUCTION, STAGING)
    if trailing:
        call.request.trailers = (header,)
    else:
        call.request.headers.append(header)
    with pytest.raises(Unattachable):
        STAGE.check(call)
    assert STAGING.reveal().encode() not in b"".join(sum(call.request.headers, ()))
