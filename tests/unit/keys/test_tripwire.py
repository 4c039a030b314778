"""No production key passes anywhere but in the credential's place, however it is written."""

import base64
import gzip
import hashlib
import io
import itertools
import json
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.content.body import read
from openai_gateway.content.texts import SocketTail
from openai_gateway.content.views import Budget
from openai_gateway.core.call import Call, Header, Request
from openai_gateway.core.corridor import ask
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import PASS, Pass, Refuse
from openai_gateway.keys.search import Hunt, quick_hunt
from openai_gateway.keys.tripwire import Tripwire, TripwireStage

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
KEY = "sk-proj-" + "".join(ALPHABET[(7 * i * i + 3 * i) % 61] for i in range(90)) + "FAKE"
OTHER = "sk-proj-" + "".join(ALPHABET[(5 * i * i + 11 * i) % 61] for i in range(90)) + "FAKE"


@dataclass(frozen=True)
class Known:
    name: str
    digest: bytes
    secret: Secret | None


def by_value(*keys: str) -> Tripwire:
    return Tripwire([Known(f"m{n}", digest(key), Secret(key)) for n, key in enumerate(keys)])


def by_fingerprint(*keys: str) -> Tripwire:
    return Tripwire([Known(f"m{n}", digest(key), None) for n, key in enumerate(keys)])


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


VALUE = by_value(OTHER, KEY)
FINGERPRINT = by_fingerprint(OTHER, KEY)
BOTH = pytest.mark.parametrize("wire", [VALUE, FINGERPRINT], ids=["value", "fingerprint"])
JSON: Header = (b"content-type", b"application/json")
TEXT: Header = (b"content-type", b"text/plain")


def call(
    body: bytes = b"",
    *headers: Header,
    target: bytes = b"/v1/chat/completions",
    method: str = "POST",
    trailers: tuple[Header, ...] = (),
) -> Call:
    made = Call(Request(method, "api.openai.com", target, list(headers), body, trailers))
    made.content = read(made.request.headers, body, 1 << 26)
    return made


def ascii_json(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def wrapped(text: str, end: str = "\r\n") -> str:
    whole = b64("x" * 50 + text)
    return end.join(whole[at : at + 76] for at in range(0, len(whole), 76))


def tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(c)) for c in text)


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c in ALPHABET + "\\%&#+/=" else c for c in text)


def script(text: str) -> str:
    """Mathematical letters: in JSON each is a surrogate pair."""
    return "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in text)


def mail(text: str) -> str:
    return "content-transfer-encoding: quoted-printable\r\n\r\n" + "".join(
        f"={c:02X}" + ("=\r\n" if n % 20 == 19 else "") for n, c in enumerate(text.encode())
    )


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "glued": lambda key: "AAAA" + key + "BBBB",
    "json escapes": ascii_json,
    "one json escape": lambda key: ascii_json(key[:1]) + key[1:],
    "json escapes twice": lambda key: json.dumps(ascii_json(key))[1:-1],
    "escaped escape": lambda key: key[:9] + f"\\u005cu{ord(key[9]):04x}" + key[10:],
    "json four deep": lambda key: json.dumps(json.dumps(json.dumps(json.dumps([ascii_json(key)])))),
    "braced escapes": lambda key: "".join(f"\\u{{{ord(c):x}}}" for c in key),
    "long escapes": lambda key: "".join(f"\\U{ord(c):08x}" for c in key),
    "hex escapes": lambda key: "".join(f"\\x{c:02x}" for c in key.encode()),
    "octal escapes": lambda key: "".join(f"\\{ord(c):03o}" for c in key),
    "surrogate pairs": lambda key: json.dumps(script(key)),
    "percent": lambda key: "".join(f"%{c:02x}" for c in key.encode()),
    "one percent": lambda key: key[:20] + f"%{ord(key[20]):02X}" + key[21:],
    "percent u": lambda key: "".join(f"%u{ord(c):04x}" for c in key),
    "percent thrice": lambda key: quote(quote("".join(f"%{ord(c):02x}" for c in key))),
    "base64": b64,
    "base64url": lambda key: base64.urlsafe_b64encode(("?" + key + "~~>").encode()).decode(),
    "base64, shifted 1": lambda key: b64("x" + key),
    "base64, shifted 2": lambda key: b64("xy" + key),
    "base64, unpadded": lambda key: b64(key + "!").rstrip("="),
    "base64, glued": lambda key: "ab/" + b64(key),
    "base64, wrapped": wrapped,
    "base64, wrapped in json": lambda key: json.dumps(wrapped(key, "\n")),
    "base64, wrapped by blanks": lambda key: wrapped(key, " "),
    "base64 twice": lambda key: b64(b64(key)),
    "base64 thrice": lambda key: b64(b64(b64(key))),
    "base64 of json escapes": lambda key: b64(ascii_json(key)),
    "base64 of percent": lambda key: b64("".join(f"%{ord(c):02x}" for c in key)),
    "percent of base64": lambda key: "".join(f"%{ord(c):02x}" for c in b64(key)),
    "base64 of utf-16": lambda key: base64.b64encode(key.encode("utf-16-le")).decode(),
    "base64 of gzip": lambda key: base64.b64encode(gzip.compress(key.encode())).decode(),
    "base64 of zlib": lambda key: base64.b64encode(zlib.compress(key.encode())).decode(),
    "data url": lambda key: "data:text/plain;base64," + b64(key),
    "hex": lambda key: key.encode().hex(),
    "hex upper": lambda key: key.encode().hex().upper(),
    "hex mixed case": lambda key: key.encode().hex()[:50] + key.encode().hex()[50:].upper(),
    "hex, odd": lambda key: "a" + key.encode().hex(),
    "hex of base64": lambda key: b64(key).encode().hex(),
    "entities": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "hex entities": lambda key: "".join(f"&#x{ord(c):x};" for c in key),
    "named entity": lambda key: key.replace("_", "&lowbar;") if "_" in key else "&lt;" + key,
    "zero-width": lambda key: "\u200b".join(key),
    "zero-width as escapes": lambda key: "\\u200b".join(key),
    "soft hyphen": lambda key: key[:30] + "\u00ad" + key[30:],
    "fullwidth": wide,
    "tags": tags,
    "dash": lambda key: key.replace("-", "\u2011"),
    "mail": mail,
    "mail word": lambda key: "=?utf-8?Q?" + "".join(f"={c:02x}" for c in key.encode()) + "?=",
    "mail word, base64": lambda key: f"=?utf-8?b?{b64(key)}?=",
    "two strings": lambda key: f'"{key[:30]}" + "{key[30:]}"',
    "line end inside": lambda key: key[:30] + "\n" + key[30:],
    "escaped line end inside": lambda key: key[:30] + "\\n" + key[30:],
}
BY_ENCODING = pytest.mark.parametrize("encoding", ENCODINGS)


@BOTH
@BY_ENCODING
def test_a_key_is_found_in_a_body_however_it_is_written(wire: Tripwire, encoding: str) -> None:
    text = "See <" + ENCODINGS[encoding](KEY) + "> there."
    found = wire.find(call(text.encode(), TEXT))
    assert found is not None
    assert found.mapping == "m1"


@BOTH
@BY_ENCODING
def test_a_key_is_found_in_a_json_string_however_it_is_written(
    wire: Tripwire, encoding: str
) -> None:
    body = json.dumps({"messages": [{"content": "See " + ENCODINGS[encoding](KEY)}]})
    assert wire.find(call(body.encode(), JSON)) is not None


@BY_ENCODING
def test_a_key_is_found_in_a_large_body_however_it_is_written(encoding: str) -> None:
    filler = " ".join(f"word{n}" for n in range(40_000))
    text = f"{filler}, <{ENCODINGS[encoding](KEY)}> {filler}"
    assert VALUE.find(call(text.encode(), TEXT)) is not None


@BY_ENCODING
def test_the_quick_look_never_calls_a_leaking_call_clean(encoding: str) -> None:
    text = "See <" + ENCODINGS[encoding](KEY) + "> there."
    assert not VALUE.is_clean(call(text.encode(), TEXT))
    assert not FINGERPRINT.is_clean(call(text.encode(), TEXT))


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "nothing " * 50)
        archive.writestr("conf/.env", f"OPENAI_API_KEY={KEY}\n" * 20)
    return packed.getvalue()


RAW: dict[str, bytes] = {
    "utf-16 le": KEY.encode("utf-16"),
    "utf-16 be": KEY.encode("utf-16-be"),
    "utf-32": KEY.encode("utf-32"),
    "latin-1 around": b"\xe9\xff" + KEY.encode() + b"\xe9",
    "binary around": bytes(range(256)) + KEY.encode() + bytes(range(255, 0, -1)),
    "gzip file": b"\0\1\2" + gzip.compress(b"x" * 500 + KEY.encode()),
    "zip": zipped(),
    "zlib file": zlib.compress(KEY.encode()),
}


@BOTH
@pytest.mark.parametrize("form", RAW)
def test_a_key_is_found_in_binary_bodies(wire: Tripwire, form: str) -> None:
    data = RAW[form]
    assert wire.find(call(data, (b"content-type", b"application/octet-stream"))) is not None


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_key_is_found_in_a_coded_body(encode: Callable[[bytes], bytes]) -> None:
    name = b"gzip" if encode is gzip.compress else b"deflate"
    data = encode(b"a text with " + KEY.encode())
    assert VALUE.find(call(data, (b"content-encoding", name), TEXT)) is not None


def test_a_key_is_found_in_a_body_that_does_not_decode() -> None:
    made = call(b"\xff\xff" + KEY.encode(), (b"content-encoding", b"br"))
    assert made.content.fault is not None
    found = VALUE.find(made)
    assert found is not None
    assert found.place == "the body at byte 2"


def test_a_key_is_found_in_a_body_that_nobody_has_read() -> None:
    made = Call(Request("POST", "api.openai.com", b"/v1/files", [], KEY.encode()))
    assert VALUE.find(made) is not None


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.env"\r\n%b\r\n'
    b"OPENAI_API_KEY=%b\r\n--b--\r\n"
)
MULTIPART: Header = (b"content-type", b"multipart/form-data; boundary=b")

PLACES: dict[str, tuple[Call, str]] = {
    "path": (call(target=b"/v1/files/" + KEY.encode()), "the url path"),
    "query": (call(target=b"/v1/files?key=" + KEY.encode()), "the url query"),
    "query, percent": (call(target=b"/v1/files?k=" + b"%73" + KEY[1:].encode()), "the url query"),
    "query, base64": (call(target=b"/v1/files?k=" + b64(KEY).encode()), "the url query"),
    "method": (call(method=KEY), "the method"),
    "header": (call(b"", (b"X-Foo", KEY.encode())), "header x-foo"),
    "header, base64": (call(b"", (b"X-Foo", b64(KEY).encode())), "header x-foo"),
    "api-key": (call(b"", (b"api-key", KEY.encode())), "header api-key"),
    "proxy": (
        call(b"", (b"Proxy-Authorization", b"Basic " + b64("ci:" + KEY).encode())),
        "header proxy-authorization",
    ),
    "header name": (call(b"", (KEY.encode(), b"1")), "a header name"),
    "header name in lower case": (call(b"", (KEY.lower().encode(), b"1")), "a header name"),
    "cookie": (call(b"", (b"Cookie", b"a=b; c=" + KEY.encode())), "a cookie"),
    "trailer": (call(b"", trailers=((b"x-end", KEY.encode()),)), "trailer x-end"),
    "trailer name": (call(b"", trailers=((KEY.encode(), b""),)), "a trailer name"),
    "authorization in a trailer": (
        call(b"", trailers=((b"authorization", KEY.encode()),)),
        "trailer authorization",
    ),
    "subprotocol": (
        call(b"", (b"Sec-WebSocket-Protocol", b"realtime, x." + KEY.encode())),
        "header sec-websocket-protocol",
    ),
    "json": (
        call(json.dumps({"messages": ["a", {"content": [{"text": KEY}]}]}).encode(), JSON),
        "the body, messages[1].content[0].text",
    ),
    "json name": (
        call(json.dumps({"metadata": {KEY: 1}}).encode(), JSON),
        "the body, a name in metadata",
    ),
    "json, the first of two equal names": (
        call(f'{{"user": "{KEY}", "user": "x"}}'.encode(), JSON),
        "the body at byte 10",
    ),
    "form": (
        call(b"a=1&b=" + KEY.encode(), (b"content-type", b"application/x-www-form-urlencoded")),
        "the body at byte 6",
    ),
    "file": (call(FORM % (b"", KEY.encode()), MULTIPART), 'multipart part file "a.env"'),
    "part's head": (
        call(FORM % (b"X-Key: " + KEY.encode() + b"\r\n", b""), MULTIPART),
        'the head of a multipart part file "a.env"',
    ),
    "file in base64": (
        call(
            FORM % (b"content-transfer-encoding: base64\r\n", base64.encodebytes(KEY.encode())),
            MULTIPART,
        ),
        'multipart part file "a.env"',
    ),
    "file quoted": (
        call(
            FORM % (b"Content-Transfer-Encoding: Quoted-Printable\r\n", b"=73" + KEY[1:].encode()),
            MULTIPART,
        ),
        'multipart part file "a.env"',
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_looked_at_and_named(place: str) -> None:
    made, named = PLACES[place]
    found = VALUE.find(made)
    assert found is not None
    assert found.place == named
    assert KEY not in found.place


@pytest.mark.parametrize("place", sorted(set(PLACES) - {"header name in lower case"}))
def test_every_place_is_looked_at_by_fingerprint(place: str) -> None:
    assert FINGERPRINT.find(PLACES[place][0]) is not None


@pytest.mark.parametrize("place", PLACES)
def test_the_quick_look_sees_every_place(place: str) -> None:
    assert not VALUE.is_clean(PLACES[place][0])


@BOTH
def test_the_credentials_own_place_is_left_to_others(wire: Tripwire) -> None:
    headers = (
        (b"AUTHORIZATION", b"Bearer " + KEY.encode()),
        (b"sec-websocket-protocol", b"realtime, OpenAI-Insecure-API-Key." + KEY.encode()),
    )
    assert wire.find(call(b"{}", *headers)) is None
    assert wire.is_clean(call(b"{}", *headers))


@BOTH
def test_a_key_that_differs_in_one_character_is_none(wire: Tripwire) -> None:
    near = KEY[:40] + ("a" if KEY[40] != "a" else "b") + KEY[41:]
    body = json.dumps({"content": near + " " + b64(near) + " " + near.encode().hex()})
    assert wire.find(call(body.encode(), JSON)) is None


def test_a_key_in_two_content_parts_is_found() -> None:
    parts = [{"type": "text", "text": KEY[:40]}, {"type": "text", "text": KEY[40:]}]
    body = json.dumps({"messages": [{"role": "user", "content": parts}]}).encode()
    assert VALUE.find(call(body, JSON)) is not None
    assert FINGERPRINT.find(call(body, JSON)) is not None
    assert VALUE.find(call(body, TEXT)) is None


async def test_many_lookalikes_are_refused_where_only_the_fingerprint_is_known() -> None:
    flood = call(b"sk-" * 30_000, TEXT)
    assert await ask(TripwireStage(VALUE), flood) is PASS
    verdict = await ask(TripwireStage(FINGERPRINT), flood)
    assert isinstance(verdict, Refuse)
    assert "fingerprints" in verdict.refusal.message


SINGLE = [name for name in ENCODINGS
          if name.startswith("base64, shifted") or name in ("plain", "base64", "hex", "hex upper",
          "json escapes", "percent", "entities", "zero-width")]  # fmt: skip


@pytest.mark.parametrize("size", [0, 300_000], ids=["small", "large"])
@pytest.mark.parametrize("encoding", SINGLE)
def test_single_encodings_of_a_known_value_need_no_budget(encoding: str, size: int) -> None:
    text = "a, " * size + "<" + ENCODINGS[encoding](KEY) + ">"
    assert VALUE.find(call(text.encode(), TEXT), Hunt(Budget(0, 0))) is not None


def test_a_key_without_a_known_beginning_is_found_by_its_fingerprint() -> None:
    key = "FAKE-company-key-0123456789"
    assert by_fingerprint(key).find(call(f"key={key}&x=1".encode(), TEXT)) is not None


def test_an_escape_before_a_key_does_not_swallow_its_beginning() -> None:
    key = "abFAKE-key-that-begins-with-hex"
    assert by_value(key).find(call(b"100%" + key.encode(), TEXT)) is not None


@BOTH
def test_a_key_in_markdown_is_found(wire: Tripwire) -> None:
    text = KEY.replace("-", "\\-").replace("_", "\\_")
    assert wire.find(call(text.encode(), TEXT)) is not None


def test_what_was_not_looked_at_is_said() -> None:
    hunt = quick_hunt()
    deep = base64.b64encode(base64.b64encode(KEY[:30].encode() * 4000))
    assert VALUE.find(call(deep, TEXT), hunt) is None
    assert hunt.budget.over


async def test_the_stage_passes_a_clean_call() -> None:
    assert await ask(TripwireStage(VALUE), call(b'{"model":"gpt-5-mini"}', JSON)) is PASS


async def test_the_stage_says_when_its_budget_ended() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(1 << 20), 9)) + b"\n\n\n\n\n\n\n"
    verdict = await ask(TripwireStage(VALUE), call(bomb * 60, TEXT))
    assert isinstance(verdict, Pass)
    assert verdict.note == "pass: budget"


def test_keys_of_no_length_refuse_nothing() -> None:
    wire = by_value("...", "ab", "!!!!!!!!!!")
    assert wire.find(call(b"... ab !!!!!!!!!!", TEXT)) is None


async def test_a_refusal_names_place_and_mapping_and_never_the_key() -> None:
    made = call(json.dumps({"input": KEY}).encode(), JSON)
    verdict = await ask(TripwireStage(VALUE), made)
    assert isinstance(verdict, Refuse)
    refused = verdict.refusal
    assert (refused.code, refused.status, refused.reason) == (
        "gateway_production_key_leaked", 403, "leaked",
    )  # fmt: skip
    assert "the body, input" in refused.message
    assert "`m1`" in refused.message
    assert KEY not in refused.message
    assert KEY[8:20] not in refused.message


async def test_a_refused_call_shows_nothing_of_the_key_in_its_row() -> None:
    made = call(b"", (b"x-stainless-lang", KEY.encode()), target=b"/v1/" + KEY.encode())
    made.sdk = KEY
    await ask(TripwireStage(VALUE), made)
    assert KEY not in repr((made.path, made.sdk, made.model_requested, made.request.method))


async def test_a_leak_in_the_body_keeps_the_path_of_the_row() -> None:
    made = call(KEY.encode(), TEXT)
    await ask(TripwireStage(VALUE), made)
    assert made.path == "/v1/chat/completions"


@pytest.mark.parametrize(
    "name", [KEY, "x" * 200, "a\r\nb", "sk-proj-abc"], ids=["key", "long", "lines", "start"]
)
def test_a_place_repeats_no_word_of_a_client_that_could_be_a_key(name: str) -> None:
    found = VALUE.find(call(json.dumps({name: {"a": KEY}}).encode(), JSON))
    assert found is not None
    assert name not in found.place


def test_messages_of_a_socket_are_looked_at() -> None:
    stage = TripwireStage(VALUE)
    clean = stage.message(call(), b'{"type":"response.create"}')
    verdict = stage.message(call(), json.dumps({"item": {"text": ascii_json(KEY)}}).encode())
    assert clean is PASS
    assert isinstance(verdict, Refuse)
    assert "a websocket message, item.text" in verdict.refusal.message


def test_a_key_in_two_parts_of_one_message_is_found() -> None:
    message = json.dumps({"content": [{"text": KEY[:50]}, {"text": KEY[50:]}]}).encode()
    assert isinstance(TripwireStage(VALUE).message(call(), message), Refuse)
    assert isinstance(TripwireStage(FINGERPRINT).message(call(), message), Refuse)


@pytest.mark.parametrize("cuts", [(40,), (20, 60), (3, 9, 70)])
@BOTH
def test_a_key_in_several_messages_is_found_with_the_last_of_them(
    wire: Tripwire, cuts: tuple[int, ...]
) -> None:
    stage, tail = TripwireStage(wire), SocketTail()
    bounds = [0, *cuts, len(KEY)]
    frames = [
        json.dumps({"type": "x", "text": KEY[a:b]}).encode() for a, b in itertools.pairwise(bounds)
    ]
    for frame in frames[:-1]:
        assert stage.message(call(), frame) is PASS
        tail.keep(frame)
    assert stage.message(call(), frames[-1]) is PASS
    assert isinstance(stage.message(call(), tail.with_next(frames[-1])), Refuse)


# ---- properties ------------------------------------------------------------------------------

keys = st.text(ALPHABET, min_size=40, max_size=164).map(lambda tail: "sk-proj-" + tail)
around = st.text(st.characters(codec="utf-8"), max_size=60)
STEPS = ("plain", "json escapes", "percent", "base64", "hex", "entities", "zero-width",
         "base64 of gzip", "hex escapes", "fullwidth", "percent u",
         "base64, wrapped", "mail word")  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(keys, around, around, st.lists(st.sampled_from(STEPS), min_size=1, max_size=2))
def test_any_key_is_found_in_any_nesting_of_two(
    key: str, before: str, after: str, steps: list[str]
) -> None:
    text = key
    for step in steps:
        text = ENCODINGS[step](text)
    body = (before + " " + text + " " + after).encode()
    assert by_value(key).find(call(body, TEXT)) is not None
    assert by_fingerprint(key).find(call(body, TEXT)) is not None


@settings(max_examples=200, deadline=None)
@given(keys, st.binary(max_size=2000) | around.map(str.encode) | st.text(ALPHABET).map(str.encode))
def test_no_text_without_the_key_is_refused(key: str, data: bytes) -> None:
    for wire in (by_value(key), by_fingerprint(key)):
        assert wire.find(call(data, TEXT)) is None


HOSTILE = {
    "keys": b"sk-" * 349_525,
    "percent": b"%25" * 349_525,
    "backslashes": b"\\" * (1 << 20),
    "base64": (ALPHABET.encode()) * 16_384,
    "zeros": b"A" * (1 << 20),
    "escapes": b"\\u003cx" * 149_796,
    "entities": b"&#115;" * 174_762,
    "gzip heads": b"\x1f\x8b\x08" * 349_525,
    "inner bomb": base64.b64encode(zlib.compress(bytes(1 << 26), 9)),
}


@BOTH
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_take_no_time(wire: Tripwire, text: str) -> None:
    made = call(HOSTILE[text], TEXT)
    began = time.process_time()
    wire.find(made)
    assert time.process_time() - began < 1.0  # 0.01 to 0.25 measured


def test_a_short_clean_call_is_judged_at_once() -> None:
    assert TripwireStage(VALUE).check(call(b'{"model":"gpt-5-mini"}', JSON)) is PASS


@pytest.mark.parametrize("value", ["FAKE-9", "FAKE-key-of-14"])
def test_a_short_key_is_found_in_a_large_binary(value: str) -> None:
    noise = hashlib.shake_256(b"noise").digest(100_000)
    found = by_value(value).find(call(noise + b"\xff" + value.encode() + b"\xff" + noise))
    assert found is not None


@BOTH
def test_a_key_with_controls_inside_is_found_in_a_large_binary(wire: Tripwire) -> None:
    noise = hashlib.shake_256(b"noise").digest(100_000)
    key = b"\x08".join(KEY[at : at + 9].encode() for at in range(0, len(KEY), 9))
    assert wire.find(call(noise + key + noise)) is not None
