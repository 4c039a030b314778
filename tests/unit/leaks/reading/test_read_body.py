"""Every place of a body is read, named as clients find it, and redacted so that it stays whole."""

import base64
import gzip
import hashlib
import io
import json
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from openai_gateway.content.body import read
from openai_gateway.core.call import Content
from openai_gateway.leaks.engine.detector import Detector
from openai_gateway.leaks.reading.budget import budget_for
from openai_gateway.leaks.reading.ledger import Done, Finding
from openai_gateway.leaks.reading.read import Reading, read_body, read_text
from openai_gateway.leaks.rules.rule import Hit, Rule
from tests.support.planted import CARD, FAKE, NAMED, Always, Planted, ample, fake

MARK = b"[REDACTED:fake-key]"
FORM = b"application/x-www-form-urlencoded"
EDGE = b"--------1f9a"
MULTIPART = b"multipart/form-data; boundary=" + EDGE


def body(
    data: bytes, content_type: bytes = b"application/json", done: Done = "redact", *rules: Rule
) -> Reading:
    content = read([(b"content-type", content_type)], data, 1 << 26)
    assert content.fault is None
    detector = Planted(rules or (FAKE,))
    return read_body(content, content_type, detector, Always(done), ample(len(data)))


def dumps(value: object) -> bytes:
    return json.dumps(value).encode()


def places(reading: Reading) -> list[tuple[str, str]]:
    return [(finding.place, done) for finding, done in reading.findings]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def told(text: str = "") -> bytes:
    return f"the key is {text or fake()} and more".encode()


def form_of(*parts: tuple[bytes, bytes]) -> bytes:
    made = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (EDGE, head, data) for head, data in parts]
    return b"".join(made) + b"--%s--\r\n" % EDGE


def named(name: str, *more: str) -> bytes:
    return "\r\n".join((f'Content-Disposition: form-data; name="{name}"', *more)).encode()


def file_of(name: str, *more: str) -> bytes:
    return named(f'file"; filename="{name}', *more)


# JSON


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"messages": [{"content": "x"}, {"content": fake()}]}, "messages[1].content"),
        ({"tools": [{"function": {"parameters": {"key": fake()}}}]},
         "tools[0].function.parameters.key"),
        ({"metadata": {fake(): 1}}, "a name in metadata"),
        ({fake(): 1}, "a name in the body"),
        ([[fake()]], "[0][0]"),
        (fake(), "the body"),
        ({"a\nb": {"c d": fake()}}, '…."c d"'),
        ({fake(): {"a": fake(1)}}, "….a"),
        ({"a": json.dumps({"b": [fake()]})}, "a"),
        ({"a": {"b": told().hex()}}, "a.b"),
    ],
)  # fmt: skip
def test_places_are_named_as_a_client_finds_them(value: object, place: str) -> None:
    reading = body(dumps(value))
    assert (place, "redact") in places(reading)
    assert fake(1).encode() not in reading.data


def test_a_clean_body_stays_the_same_object() -> None:
    data = dumps({"messages": [{"content": "nothing \u00e9 here %41 &#66;"}]})
    reading = body(data)
    assert (reading.findings, reading.over_budget) == ([], False)
    assert reading.data is data


def test_all_members_of_one_name_are_read() -> None:
    data = b'{"a": "%s", "a": "x", "a": "%s"}' % (fake(1).encode(), fake(2).encode())
    reading = body(data)
    assert len(reading.findings) == 2
    assert reading.data == b'{"a": "%s", "a": "x", "a": "%s"}' % (MARK, MARK)


def test_a_number_that_is_redacted_becomes_a_string() -> None:
    card = 4000_0000_0000_0002
    nested = json.dumps({"card": card})
    data = dumps({"n": card, "l": [1, card], "t": str(card), "j": nested})
    after = json.loads(body(data, b"application/json", "redact", CARD).data)
    mark = "[REDACTED:card]"
    assert after["n"] == after["t"] == after["l"][1] == mark
    assert json.loads(after["j"]) == {"card": mark}


def test_a_name_stands_before_its_value() -> None:
    data = rb'{"password": "with\"quote and more", "pass": "with\"quote"}'
    reading = body(data, b"application/json", "redact", NAMED)
    assert (
        reading.data == rb'{"password": "[REDACTED:named-value] and more", "pass": "with\"quote"}'
    )


def test_what_is_beside_a_secret_stays_as_it_was_written() -> None:
    data = b'{ "a" :\t"\\u00e9 \\/ %s \\ud83d\\ude00",\r\n"b":1.50e+2 }' % fake().encode()
    assert body(data).data == data.replace(fake().encode(), MARK)


def test_a_secret_that_is_half_escaped_is_replaced_whole() -> None:
    escaped = "".join(f"\\u{ord(c):04x}" if at % 3 else c for at, c in enumerate(fake()))
    data = b'{"a": "\\u00e9%s\\n"}' % escaped.encode()
    assert body(data).data == b'{"a": "\\u00e9%s\\n"}' % MARK


def test_documents_in_documents_stay_so() -> None:
    value: object = {"key": fake(), "text": 'a "quoted" \\ word'}
    for _ in range(4):
        value = {"inner": json.dumps(value), "é": "\n"}
    after = json.loads(body(dumps(value)).data)
    for _ in range(4):
        assert after["é"] == "\n"
        after = json.loads(after["inner"])
    assert after == {"key": MARK.decode(), "text": 'a "quoted" \\ word'}


WRAPS: list[Callable[[bytes], str]] = [b64, bytes.hex]


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_run_in_a_document_in_a_run_is_written_again(wrap: Callable[[bytes], str]) -> None:
    value = {"a": wrap(dumps({"b": wrap(told()), "c": [1, 2]}))}
    reading = body(dumps(value))
    assert places(reading) == [("a", "redact")]
    decode = base64.b64decode if wrap is b64 else bytes.fromhex
    inner = json.loads(decode(json.loads(reading.data)["a"]))
    assert decode(inner["b"]) == told(MARK.decode())
    assert inner["c"] == [1, 2]


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(told()), zlib.compress(told()), b"\x00\x01\x02" + told() + b"\x00"],
    ids=["gzip", "zlib", "binary"],
)
def test_what_cannot_be_written_back_is_blocked(packed: bytes) -> None:
    reading = body(dumps({"a": b64(packed)}))
    assert {done for _, done in places(reading)} == {"block"}
    assert reading.data == dumps({"a": b64(packed)})


def test_media_are_left_alone_and_their_letters_are_not() -> None:
    picture = b"\xff\xd8\xff\xe0" + hashlib.shake_128(b"picture").digest(3000)
    url = "data:image/jpeg;base64," + b64(picture)
    assert body(dumps({"image_url": {"url": url}})).findings == []
    assert places(body(dumps({"audio": f"{url} {fake()}"}))) == [("audio", "redact")]


@pytest.mark.parametrize("field", ["image_url", "audio", "data", "b64_json", "signature"])
def test_no_name_of_a_field_hides_anything(field: str) -> None:
    assert places(body(dumps({field: b64(told())}))) == [(field, "redact")]


# What shows only when put together


@pytest.mark.parametrize(
    "value",
    [
        [{"type": "text", "text": "say " + fake()[:9]}, {"type": "text", "text": fake()[9:]}],
        ["x " + fake()[:12], fake()[12:] + " y"],
        fake()[::-1],
        " ".join(fake()),
        '"FAKE-" + "' + fake()[5:] + '"',
    ],
    ids=["parts", "list", "reversed", "spaced", "added"],
)
def test_what_is_taken_apart_is_found_and_blocked(value: object) -> None:
    reading = body(dumps({"messages": [{"role": "user", "content": value}]}))
    assert {done for _, done in places(reading)} == {"block"}
    assert places(reading)[0][0].startswith("messages[0].content")


def test_an_allowed_secret_is_not_found_again_put_together() -> None:
    data = dumps({"a": ["x", f"go {fake()} on", "and", fake(1)[::-1]]})
    known = hashlib.sha256(fake().encode()).hexdigest()

    def but(finding: Finding) -> Done | None:
        return "allow" if finding.sha256 == known else None

    reading = read_body(Content(data, "json"), b"", Planted(), Always("block", but), ample())
    assert [done for _, done in reading.findings] == ["allow", "block"]
    assert reading.data is data


# Actions


@pytest.mark.parametrize("done", ["block", "report", "allow"])
def test_only_a_redaction_changes_anything(done: Done) -> None:
    data = dumps({"a": fake(), "b": b64(told())})
    reading = body(data, b"application/json", done)
    assert {action for _, action in places(reading)} == {done}
    assert reading.data is data


def test_a_redaction_beside_an_allowance_leaves_that() -> None:
    text = f"one {fake(1)} and {fake(2)} end"
    data = dumps({"a": text, "b": b64(text.encode()), "c": json.dumps([text])})
    known = hashlib.sha256(fake(2).encode()).hexdigest()

    def but(finding: Finding) -> Done | None:
        return "allow" if finding.sha256 == known else None

    reading = read_body(Content(data, "json"), b"", Planted(), Always("redact", but), ample())
    after = json.loads(reading.data)
    wanted = text.replace(fake(1), MARK.decode())
    assert after == {"a": wanted, "b": b64(wanted.encode()), "c": json.dumps([wanted])}


def test_findings_name_the_hash_of_the_decoded_secret() -> None:
    data = dumps({"a": b64(told()), "b": "".join(f"%{ord(c):02x}" for c in fake())})
    digest = hashlib.sha256(fake().encode()).hexdigest()
    assert {(one.sha256, one.location) for one, _ in body(data).findings} == {(digest, "body")}


def test_what_is_found_again_is_blocked() -> None:
    class Greedy(Planted):
        """Finds what stands beside a mark."""

        def find(self, text: bytes, **more: Any) -> list[Hit]:
            hits = super().find(text, **more)
            at = text.find(MARK + b" and")
            if at >= 0:
                first = Planted().find(fake().encode())[0]
                hits.append(replace(first, start=at + len(MARK), end=at + len(MARK) + 4))
            return hits

    data = dumps({"a": told().decode()})
    reading = read_body(Content(data, "json"), b"", Greedy(), Always(), ample())
    assert [done for _, done in reading.findings] == ["redact", "block"]


# Time


class Running:
    """A clock that goes a second on each time it is asked."""

    at = 0.0

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        self.at += 1
        return self.at


DEAR = Rule("dear", "", "(?i)password=([A-Za-z0-9]{8,40})", group=1, keywords=("password",))


@pytest.mark.parametrize("pieces", [1, 4])
def test_a_text_that_takes_too_long_is_left_and_that_is_told(pieces: int) -> None:
    detector, tried = Detector((DEAR,)), 60_000 * pieces
    text = b"password=aaaaaaaaaaaa " * tried
    clock = Running()
    budget = budget_for(0, clock)
    reading = read_text(text, "the text", "body", detector, Always("block"), budget)
    assert reading.over_budget
    assert budget.looked < 20_000
    assert clock.at < 100


def test_what_stands_before_the_time_is_up_is_found() -> None:
    text = f"password={fake()[5:]} ".encode() + b"password=aaaaaaaaaaaa " * 60_000
    rule = replace(DEAR, pattern="(?i)password=([A-Za-z0-9-]{8,40})")
    budget = budget_for(0, Running())
    reading = read_text(text, "the text", "body", Detector((rule,)), Always("block"), budget)
    assert [one.rule.id for one, _ in reading.findings] == ["dear"]
    assert reading.over_budget


# Forms and multipart


def test_forms_are_read_name_by_name() -> None:
    key = fake().replace("-", "%2D")
    data = f"a=1&prompt=say+{key}+now%21&{key}=2&j=%7B%22k%22%3A%22{key}%22%7D".encode()
    reading = body(data, FORM)
    mark = "%5BREDACTED%3Afake-key%5D"
    assert reading.data == data.replace(key.encode(), mark.encode())
    assert places(reading) == [
        ('form field "prompt"', "redact"),
        ("a form field's name", "redact"),
        ('form field "j", k', "redact"),
    ]


def test_a_name_in_a_form_stands_before_its_value() -> None:
    reading = body(b"user=x&password=verysecret1", FORM, "redact", NAMED)
    assert reading.data == b"user=x&password=%5BREDACTED%3Anamed-value%5D"


@pytest.mark.parametrize(
    ("head", "data", "place"),
    [
        (named("prompt"), told(), 'multipart part "prompt"'),
        (file_of("notes.txt"), told(), 'multipart part file "notes.txt"'),
        (file_of("a.json"), dumps({"a": [fake()]}), 'multipart part file "a.json", a[0]'),
        (file_of("a.jsonl"), dumps({"x": 1}) + b"\n" + dumps({"m": {"c": fake()}}),
         'multipart part file "a.jsonl", line 2, m.c'),
        (file_of("mail.txt", "Content-Transfer-Encoding: quoted-printable"),
         told().replace(b"-", b"=2D").replace(b"more", b"mo=\r\nre"),
         'multipart part file "mail.txt"'),
        (file_of("b.txt", "Content-Transfer-Encoding: base64"),
         base64.encodebytes(told() * 3).replace(b"\n", b"\r\n"), 'multipart part file "b.txt"'),
        (file_of("wide.txt"), told().decode().encode("utf-16"), 'multipart part file "wide.txt"'),
        (file_of("latin.txt"), "für ".encode("latin-1") + told(),
         'multipart part file "latin.txt"'),
        (named(fake()), b"x", 'the head of multipart part "…"'),
        (file_of(fake()), b"x", 'the head of multipart part file "…"'),
        (named("p", f"X-Note: {fake()}"), b"x", 'the head of multipart part "p"'),
    ],
)  # fmt: skip
def test_every_part_of_a_multipart_is_read(head: bytes, data: bytes, place: str) -> None:
    sent = form_of((named("purpose"), b"batch"), (head, data), (named("z"), b"\x00\xff"))
    reading = body(sent, MULTIPART)
    assert set(places(reading)) == {(place, "redact")}
    content = read([(b"content-type", MULTIPART)], reading.data, 1 << 20)
    assert content.fault is None
    assert body(reading.data, MULTIPART).findings == []
    assert reading.data.endswith(form_of((named("z"), b"\x00\xff")))
    assert fake().encode() not in reading.data


@pytest.mark.parametrize("data", [b"x", told()])
def test_a_head_keeps_its_shape(data: bytes) -> None:
    extended = "Content-Disposition: form-data; name=f; filename*=UTF-8''" + fake().replace(
        "-", "%2D"
    )
    sent = form_of((extended.encode(), data))
    reading = body(sent, MULTIPART)
    assert b"filename*=UTF-8''%5BREDACTED%3Afake-key%5D\r\n" in reading.data


def test_a_file_of_files_is_read_and_blocked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("secrets.env", told())
    sent = form_of((file_of("a.zip"), packed.getvalue()))
    reading = body(sent, MULTIPART)
    assert places(reading) == [('multipart part file "a.zip", secrets.env', "block")]
    assert reading.data is sent


@pytest.mark.parametrize("content_type", [b"text/plain", b"application/octet-stream", b""])
def test_other_bodies_are_read_as_text(content_type: bytes) -> None:
    reading = body(told(), content_type)
    assert (reading.data, places(reading)) == (told(MARK.decode()), [("the body", "redact")])


# Texts


def test_a_frame_has_its_paths_behind_its_name() -> None:
    frame = dumps({"item": {"content": [{"text": fake()}]}})
    reading = read_text(frame, "a websocket message", "websocket", Planted(), Always(), ample())
    [(finding, _)] = reading.findings
    assert finding.place == "a websocket message, item.content[0].text"
    assert finding.location == "websocket"
    assert json.loads(reading.data)


def test_a_text_is_read_at_any_size() -> None:
    data = b"word " * 300_000 + b"\n" + told() + b"\n" + b"word " * 300_000 + told(fake(1))
    reading = read_text(data, "big.txt", "body", Planted(), Always(), ample(len(data)))
    assert len(reading.findings) == 2
    assert reading.data.count(MARK) == 2


@pytest.mark.parametrize("at", range(-40, 41, 5))
def test_a_secret_over_the_seam_of_two_pieces_is_found_once(at: int) -> None:
    size = (1 << 20) + at
    data = b"a " * (size // 2) + fake().encode() + b" b" * 60_000
    reading = read_text(data, "big.txt", "body", Planted(), Always(), ample(len(data)))
    assert reading.data == data.replace(fake().encode(), MARK)


# Bounds


def test_too_deep_a_nesting_is_said() -> None:
    text = told()
    for _ in range(6):
        text = base64.b64encode(text)
    assert body(dumps({"a": text.decode()})).over_budget


def test_what_the_budget_leaves_out_is_said() -> None:
    data = dumps({"a": b64(told() * 100)})
    budget = ample()
    budget.bytes_left = 100
    reading = read_body(Content(data, "json"), b"", Planted(), Always(), budget)
    assert (reading.findings, reading.over_budget) == ([], True)


def test_texts_in_the_clear_are_read_without_any_budget() -> None:
    budget = ample()
    budget.bytes_left, budget.deadline = 0, 0.0
    data = dumps({"a": f"line\n{fake()}"})
    reading = read_body(Content(data, "json"), b"", Planted(), Always(), budget)
    assert json.loads(reading.data) == {"a": "line\n" + MARK.decode()}


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "backslashes": lambda size: dumps({"a": "\\" * size}),
    "quotes": lambda size: b'{"a": "' + b'\\"' * (size // 2) + b'"}',
    "one letter": lambda size: dumps({"a": "A" * size}),
    "short lines": lambda size: dumps({"a": ("A" * 24 + "\n") * (size // 25)}),
    "percent": lambda size: dumps({"a": "%25" * (size // 3)}),
    "entities": lambda size: dumps({"a": "&lt;" * (size // 4)}),
    "half pairs": lambda size: b'["' + rb"\\ud800" * (size // 7) + b'"]',
    "brackets": lambda size: dumps(["["] * (size // 5)),
    "unseen": lambda size: dumps({"a": "a\u200b" * (size // 7)}),
    "secrets": lambda size: dumps([fake()] * (size // 25)),
    "secrets in one text": lambda size: dumps({"a": f"%41 {fake()}\n" * (size // 30)}),
    "secrets in one run": lambda size: dumps({"a": b64(told() * (size // 60))}),
    "documents": lambda size: dumps([json.dumps({"k": fake()})] * (size // 40)),
    "a long number": lambda size: b"[" + b"1" * size + b"]",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_body_takes_more_than_its_size(kind: str) -> None:
    def seconds(size: int) -> float:
        data = HOSTILE[kind](size)
        budget = ample(len(data))
        started = time.process_time()
        read_body(Content(data, "json"), b"", Planted(), Always(), budget)
        return time.process_time() - started

    seconds(1000)
    small, large = min(seconds(20_000) for _ in range(3)), seconds(160_000)
    # Eight times the size; what is quadratic takes sixty-four times as long.
    assert large < 30 * small + 0.05


# With the detector itself


VENDOR = Rule("vendor-key", "A key", "vndr_[a-z0-9]{20}", keywords=("vndr_",), max_bytes=32,
              strong=True)  # fmt: skip


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector([VENDOR])


def test_the_detector_finds_through_the_layers(detector: Detector) -> None:
    key = "vndr" + "_kq7wz3xm9tb2h6fd4s8c"
    data = dumps({"a": told(key).decode(), "b": b64(told(key)), "c": [json.dumps({"d": key})],
                  "e": f"(\u200b{key[:9]}\u200b{key[9:]})"})  # fmt: skip
    reading = read_body(Content(data, "json"), b"", detector, Always(), ample())
    assert places(reading) == [(place, "redact") for place in ("a", "e", "b", "c[0]")]
    again = read_body(Content(reading.data, "json"), b"", detector, Always(), ample())
    assert again.findings == []


def test_the_detector_finds_what_was_taken_apart(detector: Detector) -> None:
    key = "vndr" + "_kq7wz3xm9tb2h6fd4s8c"
    data = dumps({"messages": [{"content": key[:11]}, {"content": key[11:]}]})
    reading = read_body(Content(data, "json"), b"", detector, Always(), ample())
    assert places(reading) == [("messages[0].content", "block")]
