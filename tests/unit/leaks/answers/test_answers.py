"""What happens to an answer by its kind: streamed or whole, JSON, text or sound."""

import base64
import gzip
import json
from typing import Literal

import pytest

from openai_gateway.leaks.answers.answers import AnswerScan
from openai_gateway.leaks.reading.ledger import Done, Finding
from tests.support.answer_events import (
    StandIn,
    blocks,
    chat_stream,
    pat,
    responses_stream,
    texts_of,
)

MARK = b"[REDACTED:demo-pat]"


def scan(
    mode: Literal["report", "redact"] = "redact",
    content_type: str | None = "text/event-stream; charset=utf-8",
    endpoint: str = "chat.create",
) -> AnswerScan:
    made = AnswerScan(endpoint, StandIn(), blocks, mode)
    if content_type is not None:
        made.begin(content_type.startswith("text/event-stream"), content_type.encode())
    return made


def told(made: AnswerScan) -> list[tuple[str, str, str, str]]:
    return [
        (finding.rule.id, finding.place, finding.location, action)
        for finding, action in made.findings
    ]


def test_to_report_every_piece_passes_as_the_same_object() -> None:
    made = scan("report")
    for event in chat_stream(["a ", pat()[:9], pat()[9:], " b"]):
        assert made.feed(event) is event
    assert made.end() == b""
    assert told(made) == [("demo-pat", "choices[0].delta.content", "answer", "report")]


def test_whole_json_is_redacted_in_place_and_nothing_else_changes() -> None:
    body = b'{ "choices": [{"message": {"content": "caf\\u00e9 \\n%s\\n"}}], "n" : 1.0 }\n'
    made = scan(content_type="application/json")
    assert made.whole(body % pat().encode()) == body % MARK
    assert [found[0] for found in told(made)] == ["demo-pat"]
    assert told(made)[0][2:] == ("answer", "redact")
    assert "choices[0].message.content" in told(made)[0][1]


@pytest.mark.parametrize("mode", ["report", "redact"])
def test_a_whole_answer_without_a_finding_is_the_same_object(
    mode: Literal["report", "redact"],
) -> None:
    body = json.dumps({"choices": [{"message": {"content": "nothing here"}}]}).encode()
    made = scan(mode, "application/json")
    assert made.whole(body) is body
    assert made.findings == []


def test_a_whole_answer_is_only_reported_where_that_is_asked() -> None:
    body = json.dumps({"text": pat()}).encode()
    made = scan("report", "application/json")
    assert made.whole(body) is body
    assert [found[3] for found in told(made)] == ["report"]


def test_log_probabilities_do_not_spell_out_what_was_redacted() -> None:
    tokens = [{"token": pat()[at : at + 6], "logprob": -0.1} for at in range(0, 24, 6)]
    choice = {"message": {"content": f"it is {pat()}."}, "logprobs": {"content": tokens}}
    passed = scan(content_type="application/json").whole(
        json.dumps({"choices": [choice, {"logprobs": None}]}).encode()
    )
    first, second = json.loads(passed)["choices"]
    assert first["message"]["content"] == "it is [REDACTED:demo-pat]."
    assert first["logprobs"] is None
    assert second["logprobs"] is None


def test_a_number_becomes_a_string() -> None:
    made = scan(content_type="application/json")
    passed = made.whole(b'{"card":4111111111111111,"n":2}')
    assert passed == b'{"card":"[REDACTED:demo-card]","n":2}'


def test_in_a_whole_answer_encodings_are_undone() -> None:
    made = scan(content_type="application/json")
    inside = base64.b64encode(f"the token is {pat()}, he said".encode()).decode()
    passed = json.loads(made.whole(json.dumps({"text": inside, "n": 1}).encode()))
    assert base64.b64decode(passed["text"]) == b"the token is %s, he said" % MARK
    assert [found[3] for found in told(made)] == ["redact"]


def test_what_cannot_be_replaced_in_place_is_reported_and_counted() -> None:
    made = scan(content_type="application/json")
    inside = base64.b64encode(gzip.compress(f"the token is {pat()}, he said".encode())).decode()
    body = json.dumps({"packed": inside, "plain": pat("Z" + pat()[5:])}).encode()
    passed = json.loads(made.whole(body))
    assert passed == {"packed": inside, "plain": MARK.decode()}
    assert sorted(found[3] for found in told(made)) == ["redact", "report"]
    assert made.over_budget


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/vtt; charset=utf-8", "application/x-subrip", "", "binary/octet-stream"],
)
def test_texts_are_redacted_as_texts(content_type: str) -> None:
    text = b"1\n00:00:01,000 --> 00:00:02,000\nthe key is %s, he said\n"
    made = scan(content_type=content_type)
    assert made.whole(text % pat().encode()) == text % MARK
    streamed = scan(content_type=content_type)
    data = text % pat().encode()
    passed = b"".join(streamed.feed(data[at : at + 5]) for at in range(0, len(data), 5))
    assert passed + streamed.end() == text % MARK


@pytest.mark.parametrize(
    ("endpoint", "content_type"),
    [
        ("audio.speech", "application/octet-stream"),
        ("embeddings.create", "application/json"),
        ("files.content", "image/png"),
        ("files.content", "audio/mpeg"),
        ("files.content", "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("mode", ["report", "redact"])
def test_what_has_no_words_is_left_alone(
    endpoint: str, content_type: str, mode: Literal["report", "redact"]
) -> None:
    body = b"\x89PNG\0\0" + pat().encode()
    made = scan(mode, content_type, endpoint)
    assert made.feed(body) is body
    assert made.end() == b""
    assert scan(mode, content_type, endpoint).whole(body) is body
    assert made.findings == []


def test_json_that_streams_is_redacted_across_its_pieces() -> None:
    rows = [{"id": f"file-{at}", "note": "x" * 40, "n": at} for at in range(200)]
    rows[100]["note"] = f'say "{pat()}" \\ done\n{pat()}'
    rows[101]["card"] = 4111111111111111
    body = json.dumps({"data": rows}, separators=(",", ":")).encode()
    for size in (1, 7, 1000, len(body)):
        made = scan(content_type="application/json; charset=utf-8")
        passed = b"".join(made.feed(body[at : at + size]) for at in range(0, len(body), size))
        passed += made.end()
        data = json.loads(passed)["data"]
        mark = MARK.decode()
        assert data[100]["note"] == f'say "{mark}" \\ done\n{mark}'
        assert data[101]["card"] == "[REDACTED:demo-card]"
        assert [row for at, row in enumerate(data) if at not in (100, 101)] == rows[:100] + rows[
            102:
        ]


def test_json_that_streams_is_reported_from_its_copy() -> None:
    body = json.dumps({"data": ["x" * 3000, pat(), "y" * 9000]}).encode()
    made = scan("report", "application/json")
    for at in range(0, len(body), 100):
        piece = body[at : at + 100]
        assert made.feed(piece) is piece
    made.end()
    assert [found[0] for found in told(made)] == ["demo-pat"]


def test_a_body_that_broke_off_gives_no_more() -> None:
    made = scan(content_type="text/plain")
    assert made.feed(b"a " + pat()[:9].encode()) == b"a "
    made.abort()
    assert made.feed(b"more ") == b""
    assert made.end() == b""


def test_a_stream_that_broke_off_gives_no_more() -> None:
    made = scan()
    *events, _, _ = chat_stream(["a ", pat()[:9]])
    passed = b"".join(made.feed(event) for event in events)
    made.abort()
    assert made.timed_out() == b""
    assert made.end() == b""
    assert texts_of(passed) == {(0, "content"): "a "}


def test_what_had_left_before_a_stream_broke_off_is_reported() -> None:
    made = scan("report")
    for event in chat_stream([pat()])[:2]:
        made.feed(event)
    assert made.findings == []
    made.abort()
    assert [found[0] for found in told(made)] == ["demo-pat"]


def test_an_allowed_value_passes_untold_and_a_reported_one_passes() -> None:
    def judge(finding: Finding) -> Done:
        return "allow" if finding.rule.id == "demo-card" else "report"

    made = AnswerScan("chat.create", StandIn(), judge, "redact")
    made.begin(True, b"text/event-stream")
    text = f"{pat()} 4111111111111111 end"
    passed = b"".join(made.feed(event) for event in chat_stream([text])) + made.end()
    assert texts_of(passed) == {(0, "content"): text}
    assert told(made) == [("demo-pat", "choices[0].delta.content", "answer", "report")]


def test_a_finding_that_is_lowered_is_at_most_reported() -> None:
    made = scan()
    text = f"use {'pk_' + 'test_'}abcdefgh12345678 here"
    passed = b"".join(made.feed(event) for event in chat_stream([text])) + made.end()
    assert texts_of(passed) == {(0, "content"): text}
    assert [(found[0], found[3]) for found in told(made)] == [("demo-note", "report")]


@pytest.mark.parametrize("mode", ["report", "redact"])
def test_a_secret_that_is_repeated_by_later_events_is_one_finding(
    mode: Literal["report", "redact"],
) -> None:
    made = scan(mode)
    events = responses_stream(["one ", pat(), " two ", pat("Z" + pat()[5:]), " ", pat(), "."])
    b"".join(made.feed(event) for event in events)
    made.end()
    assert [found[0] for found in told(made)] == ["demo-pat", "demo-pat"]
    digests = {finding.sha256 for finding, _ in made.findings}
    assert len(digests) == 2


def test_without_a_head_nothing_is_lost() -> None:
    made = scan(content_type=None)
    assert made.timed_out() == b""
    assert made.end() == b""
