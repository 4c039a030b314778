"""Keys: one credential in its place is swapped, everything else is refused and leaves nothing."""

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterator
from urllib.parse import quote

import orjson
import pytest

from tests.e2e.calls import (
    BODY,
    CHAT,
    FILES,
    JSON,
    Pairs,
    arrived,
    bearer,
    nothing_left,
    over_both,
    post,
    refused,
    send,
)
from tests.support.clients import RawH1, Reply, Way, WebSocket
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import (
    GatewayProcess,
    Keys,
    environment,
    fresh_keys,
    merged,
    settings,
)
from tests.support.relay import RelayThread

LEAKED = "gateway_production_key_leaked"
UNKNOWN = "gateway_unknown_key"
ENDPOINT = "gateway_endpoint_refused"
MODELS = "/v1/models"
REALTIME = "/v1/realtime?model=gpt-realtime-2.1"


@pytest.fixture(scope="module")
def others() -> dict[str, Keys]:
    """The keys of further mappings: known by fingerprint alone, and a stand-in's."""
    return {name: fresh_keys() for name in ("printed", "guest")}


@pytest.fixture(scope="module")
def strict(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys, others: dict[str, Keys]
) -> Iterator[GatewayProcess]:
    """Staging keys rejected, a stand-in for unknown ones, a fingerprint, an account of its own."""
    digest = hashlib.sha256(others["printed"].production.encode()).hexdigest()
    base = settings(the_relay.url, the_fake.ca_pem_path)
    first = {**base["keys"]["mappings"][0], "organization": "org-staging", "project": "proj_s"}
    printed = {"name": "printed", "production": [f"sha256:{digest}"], "staging": "env:PRINTED"}
    guest = {"name": "guest", "production": ["env:GUEST_P"], "staging": "env:GUEST"}
    config = merged(
        base,
        {
            "keys": {"mappings": [first, printed, guest], "staging": "reject", "unknown": "guest"},
            "endpoints": {"unknown": "refuse", "allow": ["fine_tuning.*"], "refuse": ["files.*"]},
        },
    )
    env = {"PRINTED": others["printed"].staging, "GUEST": others["guest"].staging,
           "GUEST_P": others["guest"].production}  # fmt: skip
    with GatewayProcess(config, {**environment(keys), **env}) as process:
        yield process


@pytest.fixture
def knowing(fake: FakeOpenAIThread, others: dict[str, Keys]) -> FakeOpenAIThread:
    """The fake with the staging keys of all mappings."""
    fake.staging_keys.update(pair.staging for pair in others.values())
    return fake


# ---- the credential's place ----------------------------------------------------------------------


@over_both
@pytest.mark.parametrize(
    "form",
    ["Bearer {key}", "bearer {key}", "BEARER   {key}", "Basic {colon}", "Basic {user}"],
)
def test_one_credential_is_swapped_whatever_its_form(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, form: str
) -> None:
    coded = base64.b64encode(f":{keys.production}".encode()).decode()
    user = base64.b64encode(f"{keys.production}:".encode()).decode()
    value = form.format(key=keys.production, colon=coded, user=user)
    swaps = gateway.metric("openai_gateway_key_swaps_total", key="default")
    reply = send(way, version, "GET", MODELS, [("authorization", value)])
    assert reply.status == 200
    arrived(fake, keys)
    for coding in (coded, user):
        assert coding.encode() not in fake.received_bytes()
    assert gateway.metric("openai_gateway_key_swaps_total", key="default") == swaps + 1


def credentials(keys: Keys) -> dict[str, tuple[Pairs, int, str]]:
    key = keys.production
    admin, session = "sk-admin-" + "FAKE" * 10, "sess-" + "FAKE" * 10
    both = base64.b64encode(f"user:{key}".encode()).decode()
    return {
        "none": ([], 401, "gateway_missing_key"),
        "empty": ([("authorization", "")], 401, "gateway_missing_key"),
        "bearer of nothing": ([("authorization", "Bearer")], 401, "gateway_missing_key"),
        "two": ([bearer(key), bearer(key)], 400, "gateway_ambiguous_key"),
        "two kinds": ([bearer(key), bearer(admin)], 400, "gateway_ambiguous_key"),
        "a list": ([("authorization", f"Bearer {key}, Bearer {key}")], 400,
                   "gateway_ambiguous_key"),
        "user and password": ([("authorization", f"Basic {both}")], 400, "gateway_ambiguous_key"),
        "no scheme": ([("authorization", key)], 401, UNKNOWN),
        "another scheme": ([("authorization", f"Digest {key}")], 401, UNKNOWN),
        "unknown": ([bearer("sk-proj-" + "FAKE" * 12)], 401, UNKNOWN),
        "one letter off": ([bearer(key[:-1] + "x")], 401, UNKNOWN),
        "one letter more": ([bearer(key + "x")], 401, UNKNOWN),
        "in capitals": ([bearer(key.upper())], 401, UNKNOWN),
        "admin": ([bearer(admin)], 401, UNKNOWN),
        "session": ([bearer(session)], 401, UNKNOWN),
        "ephemeral, not minted here": ([bearer("ek_" + "FAKE" * 8)], 401, UNKNOWN),
        "webhook secret": ([bearer("whsec_" + "FAKE" * 8)], 401, UNKNOWN),
        "in the subprotocol of a plain call": (
            [("sec-websocket-protocol", f"openai-insecure-api-key.{key}")], 401, UNKNOWN),
    }  # fmt: skip


@over_both
@pytest.mark.parametrize("case", credentials(Keys("", "")))
def test_any_other_credential_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, case: str
) -> None:
    headers, status, code = credentials(keys)[case]
    reply = send(way, version, "POST", CHAT, [*headers, JSON], BODY)
    refused(reply, status, code)
    assert keys.production.encode() not in reply.body
    nothing_left(fake, keys)


def test_a_refused_credential_has_its_row_and_its_metric(
    gateway: GatewayProcess, way: Way, keys: Keys
) -> None:
    before = gateway.metric("openai_gateway_key_rejections_total")
    reply = send(way, "h1", "GET", MODELS, [bearer("sk-proj-" + "FAKE" * 12)])
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert (row["status"], row["outcome"], row["error_code"], row["key"]) == (
        401, "rejected_key", UNKNOWN, "unknown")  # fmt: skip
    assert gateway.metric("openai_gateway_key_rejections_total") == before + 1
    assert keys.production.encode() not in gateway.database_bytes()


@over_both
def test_headers_that_name_an_account_or_a_second_credential_are_dropped(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    more = [("openai-organization", "org-mine"), ("openai-project", "proj_mine"),
            ("api-key", "sk-FAKE-azure"), ("x-api-key", "other"),
            ("proxy-authorization", "Basic eDp5")]  # fmt: skip
    reply = post(way, version, keys, BODY, *more)
    assert reply.status == 200
    received = arrived(fake, keys)
    assert all(received.values(name) == [] for name, _ in more)


# ---- mappings ------------------------------------------------------------------------------------


def test_a_staging_key_is_accepted_where_the_file_says_nothing(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    assert send(way, "h1", "GET", MODELS, [bearer(keys.staging)]).status == 200
    arrived(fake, keys)


def test_a_staging_key_is_rejected_where_the_file_says_so(
    strict: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    refused(send(strict.way, "h1", "GET", MODELS, [bearer(keys.staging)]), 401, UNKNOWN)
    nothing_left(fake, keys)


def test_an_account_of_the_mapping_replaces_the_clients(
    strict: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    more = [("openai-organization", "org-mine"), ("OpenAI-Project", "proj_mine")]
    assert post(strict.way, "h1", keys, BODY, *more).status == 200
    received = arrived(fake, keys)
    assert received.values("openai-organization") == ["org-staging"]
    assert received.values("openai-project") == ["proj_s"]


def test_a_key_known_by_its_fingerprint_is_swapped(
    strict: GatewayProcess, knowing: FakeOpenAIThread, others: dict[str, Keys]
) -> None:
    pair = others["printed"]
    assert post(strict.way, "h1", pair).status == 200
    arrived(knowing, pair)


def test_an_unknown_key_leaves_under_its_stand_in(
    strict: GatewayProcess, knowing: FakeOpenAIThread, others: dict[str, Keys]
) -> None:
    unknown = "sk-proj-" + "FAKEunknown" * 4
    reply = send(strict.way, "h1", "POST", CHAT, [bearer(unknown), JSON], BODY)
    assert reply.status == 200
    assert unknown.encode() not in knowing.received_bytes()
    arrived(knowing, others["guest"])
    assert strict.row(reply.first("x-gateway-request-id"))["key"] == "guest"


@pytest.mark.parametrize("prefix", ["sk-admin-", "sess-", "ek_", "whsec_"])
def test_no_stand_in_helps_a_key_of_a_refused_kind(
    strict: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, prefix: str
) -> None:
    key = prefix + "FAKE" * 10
    refused(send(strict.way, "h1", "GET", MODELS, [bearer(key)]), 401, UNKNOWN)
    nothing_left(fake, keys)


# ---- a production key out of its place -----------------------------------------------------------


def escaped(key: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in key)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def b64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def nested(key: str) -> str:
    inner = orjson.dumps({"k": key}).decode()
    return orjson.dumps({"a": orjson.dumps({"b": inner}).decode()}).decode()


CODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda key: key.replace("-", "%2D").replace("s", "%73"),
    "percent twice": lambda key: key.replace("-", "%252d"),
    "percent all": lambda key: "".join(f"%{ord(char):02x}" for char in key),
    "base64": b64,
    "base64 of more": lambda key: b64(f"x:{key}:y"),
    "base64url": lambda key: b64url(f"ab{key}"),
    "hex": lambda key: key.encode().hex(),
    "base64 twice": lambda key: b64(b64(key)),
    "quoted": lambda key: f'"{key}"',
    "html": lambda key: key.replace("-", "&#45;"),
}
IN_JSON: dict[str, Callable[[str], str]] = {
    "escapes": lambda key: f'{{"model":"m","x":"\\u0073k\\u002d{key[3:]}"}}',
    "escapes all": lambda key: f'{{"model":"m","x":"{escaped(key)}"}}',
    "nested": nested,
    "a name": lambda key: f'{{"model":"m","{key}":1}}',
    "an escaped name": lambda key: f'{{"model":"m","{escaped(key)}":1}}',
    "deep": lambda key: '{"a":[[{"b":' * 3 + f'"{key}"' + "}]]}" * 3,
    "second of two names": lambda key: f'{{"user":"a","user":"{key}"}}',
    "first of two names": lambda key: f'{{"user":"{key}","user":"a"}}',
    "spread over content parts": lambda key: orjson.dumps(
        {"messages": [{"content": [{"text": key[:50]}, {"text": key[50:]}]}]}
    ).decode(),
    "broken over lines": lambda key: orjson.dumps({"x": f"{key[:60]}\n{key[60:]}"}).decode(),
    "a data url": lambda key: f'{{"image_url":"data:text/plain;base64,{b64(key)}"}}',
    "not json at all": lambda key: f'{{"x": {key}',
}


def leaked(reply: Reply, fake: FakeOpenAIThread, keys: Keys) -> None:
    refused(reply, 403, LEAKED)
    assert keys.production.encode() not in reply.body
    nothing_left(fake, keys)


@over_both
@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS.keys())
@pytest.mark.parametrize(
    "place", ["/v1/files/{}", "/v1/models?k={}", "/v1/models?{}=1", "/v1/models?a=b&c=d#{}"]
)
def test_a_production_key_in_the_url_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, place: str,
    coding: Callable[[str], str],
) -> None:  # fmt: skip
    target = place.format(quote(coding(keys.production), safe="%=&#;:+/-_"))
    leaked(send(way, version, "GET", target, [bearer(keys.production)]), fake, keys)


@over_both
@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS.keys())
@pytest.mark.parametrize("name", ["x-custom", "cookie", "user-agent", "openai-project",
                                  "proxy-authorization", "x-api-key"])  # fmt: skip
def test_a_production_key_in_a_header_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, name: str,
    coding: Callable[[str], str],
) -> None:  # fmt: skip
    value = f"a={coding(keys.production)}; b=1"
    leaked(post(way, version, keys, BODY, (name, value)), fake, keys)


@over_both
def test_a_production_key_as_a_headers_name_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    name = f"x-{keys.production}".lower()
    leaked(post(way, version, keys, BODY, (name, "1")), fake, keys)


@over_both
@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS.keys())
@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded",
             "application/octet-stream", "application/x-ndjson"],
)  # fmt: skip
def test_a_production_key_in_a_body_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, kind: str,
    coding: Callable[[str], str],
) -> None:  # fmt: skip
    text = coding(keys.production)
    body = (
        f'{{"model":"m","x":{orjson.dumps(text).decode()}}}' if "json" in kind else f"a=1&k={text}"
    )
    reply = send(way, version, "POST", FILES, [bearer(keys.production), ("content-type", kind)],
                 body.encode())  # fmt: skip
    leaked(reply, fake, keys)


@over_both
@pytest.mark.parametrize("form", IN_JSON.values(), ids=IN_JSON.keys())
def test_a_production_key_in_json_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, form: Callable[[str], str]
) -> None:
    leaked(post(way, version, keys, form(keys.production).encode()), fake, keys)


PARTS: dict[str, Callable[[str], str]] = {
    "a field": lambda key: f'name="purpose"\r\n\r\n{key}',
    "a field in base64": lambda key: f'name="purpose"\r\n\r\n{b64(key)}',
    "a file": lambda key: f'name="file"; filename="a.txt"\r\n\r\nKEY={key}\n',
    "a file in json escapes": lambda key: f'name="file"; filename="a"\r\n\r\n"{escaped(key)}"',
    "a file's name": lambda key: f'name="file"; filename="{key}.txt"\r\n\r\nx',
    "a field's name": lambda key: f'name="{key}"\r\n\r\nx',
    "a part's header": lambda key: f'name="file"; filename="a"\r\nX-A: {key}\r\n\r\nx',
    "two fields": lambda key: f'name="a"\r\n\r\n{key[:40]}\r\n--B\r\nContent-Disposition: '
                              f'form-data; name="k"\r\n\r\n{key}',
}  # fmt: skip


@over_both
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_a_production_key_in_a_form_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, part: Callable[[str], str]
) -> None:
    body = f"--B\r\nContent-Disposition: form-data; {part(keys.production)}\r\n--B--\r\n"
    kind = ("content-type", "multipart/form-data; boundary=B")
    reply = send(way, version, "POST", FILES, [bearer(keys.production), kind], body.encode())
    leaked(reply, fake, keys)


@over_both
@pytest.mark.parametrize("form", ["plain", "escapes"])
def test_a_production_key_in_a_coded_body_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, form: str
) -> None:
    key = keys.production if form == "plain" else escaped(keys.production)
    body = gzip.compress(f'{{"model":"m","x":"{key}"}}'.encode())
    leaked(post(way, version, keys, body, ("content-encoding", "gzip")), fake, keys)


@over_both
def test_a_production_key_in_a_gzip_file_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    packed = gzip.compress(f"KEY={keys.production}".encode())
    head = [bearer(keys.production), ("content-type", "application/octet-stream")]
    leaked(send(way, version, "POST", FILES, head, packed), fake, keys)


@over_both
@pytest.mark.parametrize("at", [0, 70_000, 1_048_000, 3_000_000])
def test_a_production_key_deep_in_a_large_body_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, at: int
) -> None:
    body = b"x" * at + keys.production.encode() + b"y" * (3_100_000 - at)
    head = [bearer(keys.production), ("content-type", "application/octet-stream")]
    leaked(send(way, version, "POST", FILES, head, body), fake, keys)


@over_both
def test_a_production_key_in_a_utf16_file_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    body = f"KEY={keys.production}\n".encode("utf-16")
    head = [bearer(keys.production), ("content-type", "text/plain")]
    leaked(send(way, version, "POST", FILES, head, body), fake, keys)


@over_both
@pytest.mark.parametrize("place", ["name", "value"])
def test_a_production_key_in_a_trailer_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, place: str
) -> None:
    trailers = [("x-t", keys.production)]
    if place == "name":
        trailers = [(f"x-{keys.production}".lower(), "1")]
    reply = send(way, version, "POST", CHAT, [bearer(keys.production), JSON], chunks=[BODY],
                 trailers=trailers)  # fmt: skip
    leaked(reply, fake, keys)


def test_a_production_key_as_the_method_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    reply = send(way, "h1", keys.production, MODELS, [bearer(keys.production)])
    assert reply.status in (400, 403)
    nothing_left(fake, keys)


@pytest.mark.parametrize("coding", [n for n in CODINGS if n not in ("hex",)])
def test_a_key_known_by_its_fingerprint_is_found_out_of_place(
    strict: GatewayProcess, fake: FakeOpenAIThread, others: dict[str, Keys], coding: str
) -> None:
    pair = others["printed"]
    text = CODINGS[coding](pair.production)
    body = orjson.dumps({"model": "m", "x": f"it is {text} ."})
    leaked(post(strict.way, "h1", pair, body), fake, pair)


def test_the_key_of_another_mapping_out_of_place_is_refused_too(
    strict: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, others: dict[str, Keys]
) -> None:
    body = orjson.dumps({"model": "m", "x": others["guest"].production})
    refused(post(strict.way, "h1", keys, body), 403, LEAKED)
    nothing_left(fake, keys)
    nothing_left(fake, others["guest"])


def test_half_a_key_and_a_staging_key_are_no_leak(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = orjson.dumps({"model": "m", "x": keys.production[:60], "y": keys.staging})
    assert post(way, "h1", keys, body).status == 200
    assert fake.wait()[0].body == body


# ---- which refusal wins --------------------------------------------------------------------------


@over_both
@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("POST", CHAT, [("authorization", "Bearer sk-proj-FAKEunknown"), JSON], b'{"x":"KEY"}'),
        ("POST", CHAT, [JSON], b'{"x":"KEY"}'),
        ("POST", CHAT, [("authorization", "Bearer KEY"), ("authorization", "Bearer KEY"), JSON],
         b'{"x":"KEY"}'),
        ("POST", CHAT, [("authorization", "Bearer KEY"), JSON], b'{"x": KEY'),
        ("POST", CHAT, [("authorization", "Bearer KEY"), JSON, ("content-encoding", "snappy")],
         b'{"x":"KEY"}'),
        ("POST", CHAT, [("authorization", "Bearer KEY"), JSON, ("content-encoding", "gzip")],
         b'not gzip KEY'),
        ("GET", "/v1/organization/costs?k=KEY", [("authorization", "Bearer KEY")], b""),
        ("GET", "/v1/models/%2fKEY", [("authorization", "Bearer KEY")], b""),
        ("POST", CHAT, [("authorization", "Bearer KEY"), ("content-type", "application/json"),
                        ("content-type", "text/plain")], b'{"x":"KEY"}'),
    ],
    ids=["unknown key", "no key", "two keys", "bad json", "unknown coding", "bad coding",
         "admin endpoint", "bad path", "two content-types"],
)  # fmt: skip
def test_a_leaked_production_key_wins_over_every_other_refusal(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    method: str, target: str, headers: Pairs, body: bytes,
) -> None:  # fmt: skip
    key = keys.production
    fields = [(name, value.replace("KEY", key)) for name, value in headers]
    reply = send(way, version, method, target.replace("KEY", key), fields,
                 body.replace(b"KEY", key.encode()))  # fmt: skip
    leaked(reply, fake, keys)


def test_the_destination_wins_over_a_leaked_key(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(way.tls()) as client:
        client.request("GET", f"/v1/models?k={keys.production}", [("Host", "evil.example")])
        refused(client.answer(), 403, "gateway_destination_refused")
    nothing_left(fake, keys)


def test_no_sink_shows_what_was_refused(gateway: GatewayProcess, way: Way, keys: Keys) -> None:
    """After everything above: not the log, not the database, not the metrics."""
    for place in (f"/v1/files/{keys.production}", f"/v1/models?k={keys.production}"):
        reply = send(way, "h1", "GET", place, [bearer(keys.production)])
        gateway.row(reply.first("x-gateway-request-id"))
    for sink in (gateway.output().encode(), gateway.database_bytes(),
                 gateway.get("/metrics")[1].encode()):  # fmt: skip
        assert keys.production.encode() not in sink
        assert keys.staging.encode() not in sink
        assert keys.production[20:60].encode() not in sink


# ---- endpoints -----------------------------------------------------------------------------------

PATHS = [
    "/v1/organization", "/v1/organization/costs", "/v1/organization/costs/",
    "/v1/organization/admin_api_keys", "/v1/organization/usage/completions",
    "/v1/organization/projects/proj_1/api_keys", "/v1/ORGANIZATION/costs",
    "/v1/%6frganization/costs", "/v1//organization/costs", "//v1/organization/costs",
    "/v1/models/../organization/costs", "/v1/models/%2e%2e/organization/costs",
    "/v1/./organization/costs", "/v1/organization%2fcosts", "/v1/models%2F..%2Forganization",
    "/v1/models/%252e%252e/organization/costs", "/v1\\organization\\costs",
    "/v1/organization;x=1/costs", "/v1/models/%00", "/v1/models/%zz", "/v1/models/a%0d%0ab",
    "/v1/projects/proj_1/users", "/v1/fine_tuning/checkpoints/x/permissions",
]  # fmt: skip


@over_both
@pytest.mark.parametrize("path", PATHS)
def test_paths_that_staging_has_no_business_with_are_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, path: str
) -> None:
    reply = send(way, version, "GET", path, [bearer(keys.production)])
    refused(reply, 403, ENDPOINT)
    nothing_left(fake, keys)


@pytest.mark.parametrize("name", ["x-http-method-override", "x-original-url", "x-rewrite-url"])
def test_headers_that_would_ask_for_another_endpoint_are_dropped(
    way: Way, fake: FakeOpenAIThread, keys: Keys, name: str
) -> None:
    post(way, "h1", keys, BODY, (name, "/v1/organization/costs"))
    assert arrived(fake, keys).values(name) == []


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
def test_methods_that_openai_does_not_know_are_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, method: str
) -> None:
    reply = send(way, "h1", method, MODELS, [bearer(keys.production)])
    assert reply.status in (400, 403)
    assert reply.code.startswith("gateway_")  # type: ignore[union-attr]  # None fails too
    nothing_left(fake, keys)


@pytest.mark.parametrize(
    ("method", "target", "by_default", "by_policy"),
    [("POST", "/v1/fine_tuning/jobs", False, True), ("GET", "/v1/files", True, False),
     ("GET", "/v1/brand_new_thing", True, False), ("GET", "/v1/organization/costs", False, False)],
)  # fmt: skip
def test_the_policy_of_endpoints_opens_and_shuts_them(
    gateway: GatewayProcess, strict: GatewayProcess, fake: FakeOpenAIThread, keys: Keys,
    method: str, target: str, by_default: bool, by_policy: bool,
) -> None:  # fmt: skip
    for process, passes in ((gateway, by_default), (strict, by_policy)):
        fake.reset()
        reply = send(process.way, "h1", method, target, [bearer(keys.production)])
        if passes:
            arrived(fake, keys)
        else:
            refused(reply, 403, ENDPOINT)
            nothing_left(fake, keys)


def test_an_unlisted_path_passes(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    reply = send(way, "h1", "GET", "/v1/brand_new_thing?x=1", [bearer(keys.production)])
    assert reply.status == 200
    arrived(fake, keys)
    assert gateway.row(reply.first("x-gateway-request-id"))["endpoint"] == "unknown"


# ---- ephemeral keys ------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("target", ["/v1/realtime/client_secrets", "/v1/realtime/sessions"])
def test_an_ephemeral_key_minted_here_passes(
    way: Way, fake: FakeOpenAIThread, keys: Keys, target: str, framing: str
) -> None:
    dropped = ["content-length"] if framing == "chunked" else []
    fake.knobs.add("/v1/realtime/*", framing=framing, drop_headers=dropped)
    made = post(way, "h1", keys, b'{"model": "gpt-realtime-2.1"}', target=target).json()
    key = made.get("value") or made["client_secret"]["value"]
    assert key.startswith("ek_")
    with WebSocket(way.tls(), REALTIME, [bearer(key)]) as ws:
        ws.hear_type("session.created")
    offered = ["realtime", f"openai-insecure-api-key.{key}"]
    with WebSocket(way.tls(), REALTIME, subprotocols=offered) as ws:
        ws.hear_type("session.created")
    assert fake.requests[1].values("authorization") == [f"Bearer {key}"]
    assert fake.requests[2].values("sec-websocket-protocol") == [", ".join(offered)]
    other = key[:-1] + ("a" if key[-1] != "a" else "b")
    refused(send(way, "h1", "GET", MODELS, [bearer(other)]), 401, UNKNOWN)
    assert len(fake.requests) == 3


# ---- production ----------------------------------------------------------------------------------


def test_in_production_the_clients_key_goes_on_where_no_staging_key_is_named(
    the_relay: RelayThread, fake: FakeOpenAIThread, keys: Keys, strict: GatewayProcess
) -> None:
    config = settings(the_relay.url, fake.ca_pem_path)
    config["environment"] = "production"
    del config["keys"]["mappings"][0]["staging"]
    fake.staging_keys.add(keys.production)
    process = GatewayProcess(config, environment(keys), wait=False)
    with process:
        assert process.wait_exit() == 1  # no CA yet: production makes none
        assert "ca create" in process.output()
        certs = process.folder / "certs"
        certs.mkdir(exist_ok=True)
        for file in (strict.folder / "certs").iterdir():
            target = certs / file.name
            target.write_bytes(file.read_bytes())
            target.chmod(0o600)
        process._start()
        process.wait_ready()
        assert post(process.way, "h1", keys).status == 200
        leak = post(process.way, "h1", keys, orjson.dumps({"x": keys.production}))
        refused(leak, 403, LEAKED)
        foreign = send(process.way, "h1", "GET", MODELS, [bearer(fresh_keys().production)])
        refused(foreign, 401, UNKNOWN)
    assert [request.values("authorization") for request in fake.requests] == [
        [f"Bearer {keys.production}"]
    ]


def test_the_pseudo_headers_of_h2_are_looked_at_too(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    reply = send(way, "h2", "GET", MODELS, [bearer(keys.production)])
    assert reply.status == 200
    assert dict(fake.requests[0].pseudo)[b":path"] == dict(pseudo("GET", MODELS))[":path"].encode()
