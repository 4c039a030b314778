"""One known credential passes and leaves the call; every other call is refused, and says why."""

import base64
import hashlib
import json
import time

import pytest

from openai_gateway.core.call import Call, Header, Request
from openai_gateway.core.clock import SystemClock
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import Pass, Refuse, Verdict
from openai_gateway.keys.identify import Identify
from openai_gateway.keys.mapping import Identity, KeyMapping, KeyRing
from openai_gateway.keys.minted import Minted


def key(word: str, prefix: str = "sk-proj-") -> Secret:
    return Secret(prefix + word + "FAKE" * 8)


def known(name: str, secret: Secret) -> Identity:
    return Identity(name, hashlib.sha256(secret.reveal().encode()).digest())


PRODUCTION, STAGING, NOBODY = key("Production"), key("Staging"), key("Nobody")
CI, CI_STAGING, BARE = key("Ci"), key("CiStaging"), key("Bare")
EPHEMERAL = key("minted", "ek_")
MAPPINGS = (
    KeyMapping("default", (known("default", PRODUCTION),), STAGING),
    KeyMapping("ci", (known("ci", CI),), CI_STAGING, "org-ci", "proj_ci"),
    KeyMapping("bare", (known("bare", BARE),)),
)
PLAIN = (b"accept", b"*/*")
TOKEN = b"openai-insecure-api-key."


def bearer(secret: Secret) -> Header:
    return b"Authorization", b"Bearer " + secret.reveal().encode()


def token(secret: Secret) -> bytes:
    return TOKEN + secret.reveal().encode()


def call_of(*headers: Header, websocket: bool = False, environment: str = "staging") -> Call:
    request = Request("POST", "api.openai.com", b"/v1/responses", [*headers, PLAIN])
    return Call(request, websocket=websocket, environment=environment)


def stage(
    accept: bool = True, unknown: str | None = None, minted: Minted | None = None
) -> Identify:
    ring = KeyRing(MAPPINGS, accept, unknown)
    return Identify(ring, minted or Minted(SystemClock(), 10))


def mint(mapping: str, secret: Secret = EPHEMERAL) -> Minted:
    known_keys = Minted(SystemClock(), 10)
    answer = {"value": secret.reveal(), "expires_at": time.time() + 600}
    known_keys.learn("realtime.secrets", mapping, json.dumps(answer).encode())
    return known_keys


def refused(verdict: Verdict) -> tuple[str, str, str]:
    assert isinstance(verdict, Refuse)
    return verdict.refusal.code, verdict.refusal.reason, verdict.refusal.message


def held(call: Call) -> bytes:
    """Everything that would leave with the call."""
    lines = [name + b": " + value for name, value in (*call.request.headers,
                                                       *call.request.trailers)]  # fmt: skip
    return b"\n".join((call.request.target, call.request.body, *lines))


@pytest.mark.parametrize(
    ("came", "name", "departs", "note"),
    [
        (PRODUCTION, "default", STAGING, "production"),
        (CI, "ci", CI_STAGING, "production"),
        (STAGING, "default", STAGING, "staging"),
        (CI_STAGING, "ci", CI_STAGING, "staging"),
    ],
)
def test_a_known_key_names_its_mapping_and_the_key_that_departs(came, name, departs, note) -> None:
    call = call_of(bearer(came))
    assert stage().check(call) == Pass(note)
    assert (call.credential, call.key, call.departing) == (came, name, departs)
    assert came.reveal().encode() not in held(call)


@pytest.mark.parametrize(
    "value",
    [
        b"bearer %b",
        b"BEARER  %b ",
        lambda raw: b"Basic " + base64.b64encode(b":" + raw),
        lambda raw: b"basic " + base64.b64encode(raw + b":"),
    ],
)
def test_bearer_and_basic_are_both_understood(value) -> None:
    raw = PRODUCTION.reveal().encode()
    call = call_of((b"authorization", value(raw) if callable(value) else value % raw))
    assert stage().check(call) == Pass("production")
    assert call.request.headers == [PLAIN]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"authorization", b""),),
        ((b"authorization", b"Bearer "),),
        ((b"authorization", b"Basic Og=="),),
        ((b"api-key", b"x"), (b"x-api-key", b"y")),
        ((b"proxy-authorization", b"Bearer x"),),
        ((b"cookie", b"key=x"),),
        ((b"sec-websocket-protocol", b"realtime"),),
        ((b"sec-websocket-protocol", TOKEN),),
    ],
)
def test_a_call_without_a_key_is_told_where_keys_go(headers) -> None:
    code, reason, message = refused(stage().check(call_of(*headers, websocket=True)))
    assert (code, reason) == ("gateway_missing_key", "missing")
    assert "Authorization: Bearer KEY" in message


ALL = PRODUCTION.reveal().encode()


@pytest.mark.parametrize(
    "headers",
    [
        (bearer(PRODUCTION), bearer(PRODUCTION)),
        (bearer(PRODUCTION), bearer(NOBODY)),
        (bearer(PRODUCTION), (b"authorization", b"")),
        ((b"AUTHORIZATION", b"Bearer a"), (b"authorization", b"Basic Yjo=")),
        ((b"authorization", b"Bearer " + ALL + b", Bearer " + ALL),),
        ((b"authorization", b"Bearer " + ALL + b"," + ALL),),
        ((b"authorization", b"Basic " + base64.b64encode(b"user:" + ALL)),),
        (bearer(PRODUCTION), (b"sec-websocket-protocol", b"realtime, " + token(PRODUCTION))),
        (bearer(PRODUCTION), (b"sec-websocket-protocol", TOKEN)),
        ((b"sec-websocket-protocol", token(PRODUCTION) + b"," + token(PRODUCTION)),),
        ((b"sec-websocket-protocol", token(PRODUCTION)),
         (b"Sec-WebSocket-Protocol", token(PRODUCTION))),
        ((b"sec-websocket-protocol", token(PRODUCTION) + b", " + TOKEN),),
    ],
)  # fmt: skip
@pytest.mark.parametrize("websocket", [True, False])
def test_more_than_one_credential_is_ambiguous(headers, websocket: bool) -> None:
    call = call_of(*headers, websocket=websocket)
    code, reason, message = refused(stage(unknown="default").check(call))
    assert (code, reason) == ("gateway_ambiguous_key", "ambiguous")
    assert "FAKE" not in message
    assert call.departing is None


@pytest.mark.parametrize("headers", [(), (bearer(PRODUCTION),)])
@pytest.mark.parametrize("trailer", [bearer(NOBODY), (b"sec-websocket-protocol", token(NOBODY))])
def test_a_key_in_the_trailers_is_refused_whatever_the_head_holds(headers, trailer) -> None:
    call = call_of(*headers)
    call.request.trailers = (trailer,)
    code, _, message = refused(stage(unknown="default").check(call))
    assert code == "gateway_ambiguous_key"
    assert "trailers" in message


@pytest.mark.parametrize(
    ("secret", "reason", "word"),
    [
        (NOBODY, "unknown", "in no mapping"),
        (Secret("x"), "unknown", "in no mapping"),
        (key("A", "sk-admin-"), "refused_kind", "admin key"),
        (key("A", "sess-"), "refused_kind", "session key"),
        (key("A", "whsec_"), "refused_kind", "signing secret"),
        (EPHEMERAL, "refused_kind", "not minted through this gateway"),
    ],
)
def test_a_key_that_may_not_pass_is_refused_by_what_it_is(secret, reason, word) -> None:
    call = call_of(bearer(secret))
    code, said, message = refused(stage().check(call))
    assert (code, said) == ("gateway_unknown_key", reason)
    assert word in message
    assert (call.key, call.credential, call.departing) == ("unknown", None, None)


@pytest.mark.parametrize("prefix", ["sk-admin-", "sess-", "whsec_", "ek_"])
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_no_stand_in_stands_in_for_a_refused_kind(prefix: str, environment: str) -> None:
    call = call_of(bearer(key("A", prefix)), environment=environment)
    assert refused(stage(unknown="default").check(call))[1] == "refused_kind"


def test_an_unknown_key_is_shown_masked_with_a_part_of_its_fingerprint_and_the_fix() -> None:
    _, _, message = refused(stage().check(call_of(bearer(NOBODY))))
    assert NOBODY.masked() in message
    assert NOBODY.fingerprint()[:19] + "…" in message
    assert NOBODY.fingerprint()[:20] not in message
    assert "keys.mappings[].production" in message
    assert "FAKEFAKE" not in message


@pytest.mark.parametrize(
    "value",
    [ALL, b"Token " + ALL, b"Bearer a b", b"Basic ???", b"Bearer \xff", b"Digest username=x"],
)
def test_what_is_no_key_is_refused_and_not_repeated(value: bytes) -> None:
    code, reason, message = refused(stage(unknown="ci").check(call_of((b"authorization", value))))
    assert (code, reason) == ("gateway_unknown_key", "unknown")
    assert "is no API key" in message
    assert "FAKE" not in message


def test_an_unknown_key_is_stood_in_for_where_a_mapping_is_named() -> None:
    call = call_of(bearer(NOBODY))
    assert stage(unknown="ci").check(call) == Pass("stand-in")
    assert (call.key, call.departing) == ("ci", CI_STAGING)


def test_a_staging_key_is_refused_where_the_configuration_says_so() -> None:
    code, reason, message = refused(stage(accept=False).check(call_of(bearer(STAGING))))
    assert (code, reason) == ("gateway_unknown_key", "staging_refused")
    assert "keys: {staging: accept}" in message
    assert "FAKEFAKE" not in message


def test_without_a_staging_key_the_client_s_own_departs_in_production_only() -> None:
    call = call_of(bearer(BARE), environment="production")
    assert stage().check(call) == Pass("production")
    assert call.departing == BARE
    for environment in ("staging", "", "Production"):
        call = call_of(bearer(BARE), environment=environment)
        stage().check(call)
        assert call.departing is None


def test_in_production_a_mapping_with_a_staging_key_still_swaps() -> None:
    call = call_of(bearer(PRODUCTION), environment="production")
    stage().check(call)
    assert call.departing == STAGING


def test_a_minted_key_passes_as_it_is_under_its_mapping_s_name() -> None:
    call = call_of(bearer(EPHEMERAL))
    assert stage(minted=mint("ci")).check(call) == Pass("minted")
    assert (call.key, call.credential, call.departing) == ("ci", EPHEMERAL, EPHEMERAL)
    assert (b"openai-organization", b"org-ci") in call.request.headers


def test_a_minted_key_whose_mapping_is_gone_does_not_pass() -> None:
    call = call_of(bearer(EPHEMERAL))
    assert refused(stage(minted=mint("gone")).check(call))[1] == "refused_kind"


def test_a_subprotocol_key_counts_on_a_websocket_only() -> None:
    header = (b"sec-websocket-protocol", b"realtime, " + token(PRODUCTION))
    call = call_of(header, websocket=True)
    assert stage().check(call) == Pass("production")
    code, reason, message = refused(stage(unknown="ci").check(call_of(header)))
    assert (code, reason) == ("gateway_unknown_key", "unknown")
    assert "opens a WebSocket" in message


@pytest.mark.parametrize(
    ("came", "mapping", "left"),
    [
        (b"realtime, %b", "default", [b"realtime, " + TOKEN]),
        (b"realtime,%b,x", "default", [b"realtime, " + TOKEN + b", x"]),
        (b"%b", "default", [TOKEN]),
        (b"realtime, %b, openai-organization.org-1, openai-project.p", "default",
         [b"realtime, " + TOKEN]),
        (b"OpenAI-Project.p, %b, openai-organization.org-1, realtime", "ci",
         [b"openai-project.proj_ci, " + TOKEN + b", openai-organization.org-ci, realtime"]),
    ],
)  # fmt: skip
def test_subprotocols_are_replaced_in_place_or_dropped(came, mapping, left) -> None:
    secret = CI if mapping == "ci" else PRODUCTION
    call = call_of((b"Sec-WebSocket-Protocol", came % token(secret)), websocket=True)
    stage().check(call)
    assert call.request.values(b"sec-websocket-protocol") == left
    assert secret.reveal().encode() not in held(call)


@pytest.mark.parametrize(
    ("came", "left"),
    [
        (b"realtime,x ,  y", [b"realtime,x ,  y"]),
        (b"openai-organization.org-1", []),
        (b"a, openai-project.p", [b"a"]),
    ],
)
def test_subprotocols_beside_a_bearer_key_lose_their_account_only(came, left) -> None:
    call = call_of(bearer(PRODUCTION), (b"sec-websocket-protocol", came), websocket=True)
    assert stage().check(call) == Pass("production")
    assert call.request.values(b"sec-websocket-protocol") == left


def test_the_account_headers_become_the_mapping_s() -> None:
    sent = ((b"OpenAI-Organization", b"org-x"), (b"openai-organization", b"org-y"),
            (b"OPENAI-PROJECT", b"proj_x"))  # fmt: skip
    call = call_of(bearer(CI), *sent)
    stage().check(call)
    assert call.request.headers == [
        PLAIN, (b"openai-organization", b"org-ci"), (b"openai-project", b"proj_ci"),
    ]  # fmt: skip


def test_the_account_headers_are_dropped_where_the_mapping_names_none() -> None:
    call = call_of(bearer(PRODUCTION), (b"OpenAI-Organization", b"x"), (b"openai-project", b"y"))
    stage().check(call)
    assert call.request.headers == [PLAIN]


def test_what_is_meant_for_the_proxy_or_for_others_does_not_leave_and_the_rest_does() -> None:
    kept = [(b"cookie", b"__cf_bm=1"), (b"Connection", b"keep-alive"), (b"OpenAI-Beta", b"x=v1"),
            (b"X-Client-Request-Id", b"1"), (b"X-Client-Request-Id", b"2")]  # fmt: skip
    dropped = [(b"Proxy-Authorization", b"Basic Y2k6eA=="), (b"proxy-connection", b"close"),
               (b"Keep-Alive", b"5"), (b"api-key", b"x"), (b"X-API-Key", b"y")]  # fmt: skip
    call = call_of(*kept, bearer(PRODUCTION), *dropped)
    stage().check(call)
    assert call.request.headers == [*kept, PLAIN]


def test_the_body_and_the_target_are_left_alone() -> None:
    call = call_of(bearer(PRODUCTION))
    call.request.body = b'{"model": "x"}'
    stage().check(call)
    assert (call.request.body, call.request.target) == (b'{"model": "x"}', b"/v1/responses")
