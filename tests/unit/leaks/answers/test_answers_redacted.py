"""A stream that is redacted: the client never decodes a secret, and everything else it does."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.leaks.answers.answer_redactor import MOST_STREAMS, PATIENCE
from openai_gateway.leaks.answers.answers import AnswerScan
from tests.support.answer_events import (
    Object,
    StandIn,
    Texts,
    blocks,
    chat,
    chat_stream,
    pat,
    pem,
    responses_stream,
    sse,
    texts_of,
    typed,
    values_of,
)

MARK = "[REDACTED:demo-pat]"
TOO_LONG = "[REDACTED:too-long]"
CONTENT = (0, "content")


def opened() -> AnswerScan:
    made = AnswerScan("chat.create", StandIn(), blocks, "redact")
    made.begin(True, b"text/event-stream")
    return made


def redacted(events: list[bytes]) -> bytes:
    made = opened()
    return b"".join(made.feed(event) for event in events) + made.end()


def texts(events: list[bytes]) -> Texts:
    return texts_of(redacted(events))


def cut(text: str, *places: int) -> list[str]:
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(bounds)]


def tool(pieces: list[str], call: int = 0) -> list[bytes]:
    head = {"index": call, "id": f"call_{call}", "type": "function"}
    calls: list[Object] = [{**head, "function": {"name": "run", "arguments": ""}}]
    calls += [{"index": call, "function": {"arguments": at}} for at in pieces]
    return [chat({"tool_calls": [one]}) for one in calls]


# Every shape that a text can come in, as (events of its pieces, events that end it).
def shape(name: str, pieces: list[str]) -> list[bytes]:
    done = [chat({}, finish="stop"), sse(b"[DONE]")]
    item: Object = {"item_id": "i1", "output_index": 2}
    part: Object = {**item, "content_index": 1}
    match name:
        case "content" | "refusal" | "reasoning_content":
            return [chat({name: piece}) for piece in pieces] + done
        case "tool":
            return tool(pieces) + done
        case "function_call":
            return [chat({"function_call": {"arguments": at}}) for at in pieces] + done
        case "text":
            choices = [{"text": at, "index": 0, "finish_reason": None} for at in pieces]
            return [sse({"id": "cmpl-1", "choices": [choice]}) for choice in choices] + done[1:]
        case "message":
            contents = [[{"index": 0, "type": "text", "text": {"value": at}}] for at in pieces]
            head: Object = {"id": "m1", "object": "thread.message.delta"}
            ended = {"id": "m1", "object": "thread.message", "status": "completed"}
            said = [{**head, "delta": {"content": content}} for content in contents]
            return [sse(at, "thread.message.delta") for at in said] + [sse(ended)]
        case "transcript":
            deltas = [typed("transcript.text.delta", delta=at) for at in pieces]
            return [*deltas, typed("transcript.text.done", text="".join(pieces))]
    where = part if name in PARTS else item
    field = "text" if name in PARTS else "arguments"
    last: Object = {**where, field: "".join(pieces)}
    deltas = [typed(f"{name}.delta", **where, delta=at) for at in pieces]
    return [*deltas, typed(f"{name}.done", **last)]


PARTS = ("response.output_text", "response.refusal", "response.reasoning_text")
SHAPES = (
    *("content", "refusal", "reasoning_content", "tool", "function_call", "text", "message"),
    *("transcript", "response.reasoning_summary_text", "response.function_call_arguments"),
    *("response.mcp_call_arguments", "response.code_interpreter_call_code"),
    *("response.audio.transcript", "response.custom_tool_call_input", "response.yet_unknown"),
    *PARTS,
)


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_split_at_any_place_never_reaches_the_client(name: str) -> None:
    text = f"it is {pat()}, so there"
    for first in range(len(text) + 1):
        passed = redacted(shape(name, cut(text, first, first + 7)))
        assert pat().encode() not in passed
        assert list(texts_of(passed).values()) == [f"it is {MARK}, so there"]


@pytest.mark.parametrize("name", SHAPES)
@given(text=st.text(max_size=60), places=st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=30)
def test_a_text_without_a_secret_is_the_clients_whole(
    name: str, text: str, places: list[int]
) -> None:
    events = shape(name, cut(text, *places))
    passed = redacted(events)
    assert texts_of(passed) == texts_of(b"".join(events))
    assert len(values_of(passed)) - len(values_of(b"".join(events))) in (0, 1)


WORDS = st.sampled_from(
    ["Hello", "tok_", "tok_short", "12 34", "4111 1111", "-----BEGIN", "{", '"', "\\n", "\n", "é",
     "日本", "🔑", "api_key:", "a" * 40, ", ", " ", "\t", "\u2028", "", "A1 B2 ", "x-----", "\\"]
)  # fmt: skip


@given(words=st.lists(WORDS, max_size=25), places=st.lists(st.integers(0, 400), max_size=12))
def test_what_only_looks_like_a_secrets_beginning_comes_out_whole(
    words: list[str], places: list[int]
) -> None:
    text = "".join(words)
    detector = StandIn()
    if detector.find(text.encode()):
        return
    for stream in (chat_stream, responses_stream):
        events = stream(cut(text, *places))
        assert texts(events) == texts_of(b"".join(events))


SECRETS = st.sampled_from([pat(), f"4111 {'1111 ' * 2}1111", pem(), f"jwt.{'aB3' * 130}"])


@given(
    words=st.lists(WORDS, max_size=8),
    secret=SECRETS,
    rest=st.lists(WORDS, max_size=8),
    places=st.lists(st.integers(0, 900), max_size=20),
)
@settings(max_examples=300)
def test_a_planted_secret_is_marked_wherever_it_is_cut(
    words: list[str], secret: str, rest: list[str], places: list[int]
) -> None:
    text = " ".join(["".join(words), secret, "".join(rest)])
    whole = StandIn().find(text.encode())
    if not any(text.encode()[hit.start : hit.end] == secret.encode() for hit in whole):
        return
    for stream in (chat_stream, responses_stream):
        passed = redacted(stream(cut(text, *places)))
        (said,) = texts_of(passed).values()
        assert secret not in said
        assert "[REDACTED:" in said
        assert secret.encode() not in passed
        assert json.dumps(secret).encode() not in passed


@given(data=st.data())
@settings(max_examples=60)
def test_a_stream_cut_at_any_bytes_gives_the_same(data: st.DataObject) -> None:
    text = f"see \u00e9 {pat()} and {'word ' * 5}"
    places = data.draw(st.lists(st.integers(0, 90), max_size=8))
    made_by = data.draw(st.sampled_from([chat_stream, responses_stream]))
    stream = b"".join(made_by(cut(text, *places)))
    if data.draw(st.booleans()):
        stream = stream.replace(b"\n", b"\r\n")
    once = opened()
    expected = once.feed(stream) + once.end()
    bounds = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream))))})
    made = opened()
    passed = [made.feed(stream[start:end]) for start, end in pairwise(bounds)]
    assert b"".join(passed) + made.end() == expected


def test_a_stream_cut_at_every_byte_gives_the_same() -> None:
    for events in (chat_stream(["a b", pat(), " c"]), responses_stream(["a b", pat(), " c"])):
        stream = b"".join(events)
        made = opened()
        passed = b"".join(made.feed(stream[at : at + 1]) for at in range(len(stream))) + made.end()
        assert passed == redacted(events)


def test_texts_of_several_choices_calls_and_items_do_not_mix() -> None:
    pieces = cut(f"a {pat()} b", *range(30))
    rounds = [
        [chat({"content": piece}, index=1), chat({"content": "Hi "}), *tool([piece])[1:],
         *tool([piece], 1)[1:]]
        for piece in pieces
    ]  # fmt: skip
    events = [event for one in rounds for event in one]
    both = [{"index": at, "delta": {"content": "!"}, "finish_reason": "stop"} for at in (0, 1)]
    found = texts([*events, sse({"choices": both}), sse(b"[DONE]")])
    assert found == {
        (1, "content"): f"a {MARK} b!",
        (0, "content"): "Hi " * len(pieces) + "!",
        (0, "tool", 0): f"a {MARK} b",
        (0, "tool", 1): f"a {MARK} b",
    }


def test_several_texts_in_one_event_are_each_rewritten() -> None:
    choices = [{"index": at, "delta": {"content": f"{at} {pat()}"}} for at in (0, 1)]
    passed = texts([sse({"choices": choices}), sse(b"[DONE]")])
    assert passed == {(0, "content"): f"0 {MARK}", (1, "content"): f"1 {MARK}"}


def test_every_byte_of_an_event_but_its_text_stays() -> None:
    event = b'event: x\nid: 7\ndata: { "choices" : [ {"index":0, "delta" : {"content" : "%s"}, '
    event += b'"n": 1.50, "x":"caf\\u00e9 \\"content\\": "} ] }\n\n'
    made = opened()
    assert made.feed(event % b"two words") == event % b"two "
    assert made.feed(event % b" ") == event % b"words "


def test_a_delta_of_whole_words_passes_as_it_came() -> None:
    made = opened()
    for event in chat_stream(["Hello ", "dear\n", "world! "])[:4]:
        assert made.feed(event) == event


def test_events_without_text_pass_at_once_while_a_word_is_held() -> None:
    made = opened()
    made.feed(chat({"content": "wor"}))
    for event in (
        b": keep-alive\n\n",
        chat({}, choice={"delta": {"role": "assistant"}}),
        sse({"type": "response.in_progress"}),
        b"data: not json\n\n",
        sse({"type": "response.audio.delta", "delta": "AAAA" * 500}),
    ):
        assert made.feed(event) == event


def test_no_event_waits_for_another() -> None:
    made = opened()
    for event in chat_stream([" one", " two", "-three"])[:-2]:
        assert len(values_of(made.feed(event))) == 1


def test_the_rest_of_a_text_goes_before_the_event_that_ends_it() -> None:
    passed = values_of(redacted(chat_stream(["one two"])))
    assert [value["choices"][0]["finish_reason"] for value in passed] == [None, None, None, "stop"]
    assert passed[2]["choices"][0]["delta"] == {"content": "two"}
    assert passed[2]["id"] == "chatcmpl-1"
    kinds = [value["type"] for value in values_of(redacted(responses_stream(["one two"])))]
    assert kinds[1:4] == ["response.output_text.delta"] * 2 + ["response.output_text.done"]


def test_an_event_of_ours_repeats_no_name_and_no_id() -> None:
    call = {"index": 1, "id": "call_1", "type": "function"}
    call |= {"function": {"name": "run", "arguments": '{"a":"b"}'}}
    delta = {"role": "assistant", "tool_calls": [call]}
    passed = values_of(redacted([chat(delta, usage={"n": 1}), chat({}, finish="tool_calls")]))
    assert passed[1]["choices"][0]["delta"] == {
        "tool_calls": [{"index": 1, "type": "function", "function": {"arguments": '{"a":"b"}'}}]
    }
    assert "usage" not in passed[1]
    assert "obfuscation" not in passed[1]


def test_numbers_of_events_never_go_back() -> None:
    numbers = [value["sequence_number"] for value in values_of(redacted(responses_stream(["a b"])))]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    "last",
    [
        sse({"error": {"message": "x", "type": "server_error"}}),
        typed("error", message="x"),
        typed("response.failed", response={"output": []}),
        sse({"id": "r", "object": "thread.run", "status": "failed"}),
    ],
)
def test_on_an_error_nothing_that_is_held_leaves(last: bytes) -> None:
    start = [chat({"content": "a secr"}), typed("response.output_text.delta", delta="b secr")]
    made = opened()
    passed = b"".join(made.feed(event) for event in start)
    assert made.feed(last) == last
    assert made.end() == b""
    assert sorted(texts_of(passed).values()) == ["a ", "b "]


def test_an_end_that_is_no_whole_event_is_left_out() -> None:
    made = opened()
    made.feed(chat({"content": "one two"}))
    made.feed(chat({"content": pat()})[:-20])
    assert texts_of(made.end()) == {CONTENT: "two"}


def test_a_last_event_without_its_blank_line_counts() -> None:
    made = opened()
    passed = made.feed(chat({"content": "one two"})) + made.feed(chat({"content": " three"})[:-2])
    rest = made.end()
    assert texts_of(passed + rest + b"\n\n") == {CONTENT: "one two three"}


def test_after_a_silence_a_word_leaves_and_the_beginning_of_a_secret_stays() -> None:
    made = opened()
    made.feed(chat({"content": "Hello world"}))
    assert texts_of(made.timed_out()) == {CONTENT: "world"}
    assert made.timed_out() == b""
    made.feed(chat({"content": " " + pat()[:15]}))
    assert made.timed_out() == b""
    rest = made.feed(chat({"content": pat()[15:] + "."}))
    rest += made.timed_out()
    assert texts_of(rest + made.end()) == {CONTENT: f"{MARK}."}


def test_of_a_secret_whose_beginning_left_in_a_silence_the_rest_is_taken_out() -> None:
    made = opened()
    passed = made.feed(chat({"content": "it is tok"})) + made.timed_out()
    passed += made.feed(chat({"content": pat()[3:]})) + made.end()
    assert texts_of(passed) == {CONTENT: f"it is tok{MARK}"}


def test_a_text_that_is_silent_while_others_go_on_is_given_out() -> None:
    made = opened()
    passed = made.feed(chat({"reasoning_content": "I think"}))
    for _ in range(PATIENCE + 2):
        passed += made.feed(chat({"content": "word "}))
    assert texts_of(passed)[(0, "reasoning_content")] == "I think"


def test_a_run_that_is_too_long_is_dropped_and_marked() -> None:
    long = "aB3" * 400
    assert texts(chat_stream(["see ", *cut(long, *range(0, 1200, 7)), " and on"])) == {
        CONTENT: f"see {TOO_LONG} and on"
    }
    assert texts(chat_stream([f"see {long}", f'{long}") and on'])) == {
        CONTENT: f'see {TOO_LONG}") and on'
    }


def test_a_secret_longer_than_what_is_held_never_begins_to_leave() -> None:
    secret = "jwt." + "aB3dE" * 200
    made = opened()
    passed = [made.feed(event) for event in chat_stream(["see ", *cut(secret, *range(0, 1004, 5))])]
    said = texts_of(b"".join(passed) + made.end())[CONTENT]
    assert said in ("see [REDACTED:demo-long]", f"see {TOO_LONG}")
    assert made.over_budget


@pytest.mark.parametrize(
    "text",
    [
        "日本語の文章は空白がない。" * 80,
        '{"rows":[' + ",".join(f'{{"a":{at},"b":"x{at}"}}' for at in range(200)) + "]}",
        "function(a,b){return(a+b)};" * 60,
        "=" * 80 + "\n" + "-" * 300,
        "1 2 3 4 5 6 7 8 9 10 11 12 " * 30,
    ],
)
def test_long_texts_without_a_blank_come_out_whole(text: str) -> None:
    assert texts(chat_stream(cut(text, *range(0, len(text), 5)))) == {CONTENT: text}


def test_a_private_key_goes_as_one_and_a_longer_one_is_dropped() -> None:
    text = f"Here:\n{pem(20)}\nkeep it"
    assert texts(chat_stream(cut(text, *range(0, 2000, 9)))) == {
        CONTENT: "Here:\n[REDACTED:demo-key]\nkeep it"
    }
    text = f"Here:\n{pem(200)}\nkeep it"
    assert texts(chat_stream(cut(text, *range(0, 14000, 50)))) == {
        CONTENT: f"Here:\n{TOO_LONG}\nkeep it"
    }


def test_what_stands_behind_a_key_too_long_stays_in_whatever_pieces_it_comes() -> None:
    text = f"Here:\n{pem(600)}\nkeep it"
    for step in (100, 3000, 50_000):
        assert texts(chat_stream(cut(text, *range(0, 50_000, step)))) == {
            CONTENT: f"Here:\n{TOO_LONG}\nkeep it"
        }


def test_a_private_key_that_is_cut_off_does_not_leave() -> None:
    half = pem(20)[:700]
    assert texts(chat_stream(cut(f"Here: {half}", *range(0, 700, 9)))) == {
        CONTENT: f"Here: {TOO_LONG}"
    }


def test_what_is_said_about_keys_comes_out_whole() -> None:
    begin = "-----BEGIN PRIVATE " + "KEY-----"
    for text in (
        f"A key starts with {begin} and then " + "come some lines of letters and digits " * 20,
        f"It is framed by `{begin}`.",
        "-----BEGIN CERTIFICATE-----\n" + ("A" * 64 + "\n") * 20 + "-----END CERTIFICATE-----\nok",
    ):
        assert texts(chat_stream(cut(text, *range(0, len(text), 6)))) == {CONTENT: text}


def test_what_begins_in_brackets_and_is_no_json_is_redacted_as_a_text() -> None:
    for text in ("[Note] use {} 1", "[1] {} 2", '{{"a": 1}} is JSON, {} is not, "so'):
        assert texts(chat_stream(cut(text.format(pat()), *range(0, 60, 3)))) == {
            CONTENT: text.format(MARK)
        }


def test_json_in_arguments_stays_json() -> None:
    arguments = json.dumps(
        {"card": 4111111111111111, "key": pem(), "note": f'"\n{pat()}\\', "n": [1, "é"]},
        separators=(",", ":"),
    )
    for step in (1, 5, 40, 2000):
        (said,) = texts([*tool(cut(arguments, *range(0, 2000, step))), sse(b"[DONE]")]).values()
        assert json.loads(said) == {
            "card": "[REDACTED:demo-card]",
            "key": "[REDACTED:demo-key]",
            "note": f'"\n{MARK}\\',
            "n": [1, "é"],
        }


def test_a_name_before_a_value_counts_though_it_has_left() -> None:
    assert texts(chat_stream(["set api_key: ", "abcdef", "012345 ", "now"])) == {
        CONTENT: "set api_key: [REDACTED:demo-named] now"
    }


def test_too_many_texts_at_once_leave_a_mark_of_the_oldest() -> None:
    many = range(MOST_STREAMS + 3)
    events = [chat({"content": f"hi there{at}"}, index=at) for at in many]
    found = texts([*events, sse(b"[DONE]")])
    assert found[(0, "content")] == f"hi {TOO_LONG}"
    assert found[(len(many) - 1, "content")] == f"hi there{many[-1]}"


def test_an_event_that_is_too_long_is_redacted_as_it_passes() -> None:
    picture = "iVBORw0KGgo" + "aB3/" * 400_000
    item = {"result": picture, "note": f"\n{pat()} é", "card": 4111111111111111}
    event = typed("response.completed", response={"output": [item]})
    events = [chat({"content": "one two"}), event, sse({"id": "x"})]
    passed = redacted(events)
    assert texts_of(passed) == {CONTENT: "one two"}
    completed = values_of(passed)[2]["response"]["output"][0]
    assert completed["result"] == picture
    assert completed["note"] == f"\n{MARK} é"
    assert completed["card"] == "[REDACTED:demo-card]"


def logged(text: str, odds: list[str]) -> bytes:
    tokens = [{"token": at, "logprob": -1.5, "bytes": list(at.encode())} for at in odds]
    return chat({"content": text}, choice={"logprobs": {"content": tokens, "refusal": None}})


def test_log_probabilities_go_with_their_text_and_not_with_a_secret() -> None:
    parts = ["Hel", "lo ", *cut(pat(), *range(0, 24, 4)), " wor", "ld"]
    events = [logged(part, [part]) for part in parts]
    passed = redacted([*events, chat({}, finish="stop"), sse(b"[DONE]")])
    assert texts_of(passed) == {CONTENT: f"Hello {MARK} world"}
    tokens = [
        token["token"]
        for value in values_of(passed)
        for token in ((value["choices"][0].get("logprobs") or {}).get("content") or ())
    ]
    assert tokens == ["Hel", "lo ", " wor", "ld"]


def test_log_probabilities_of_responses_go_with_their_text() -> None:
    deltas = [
        typed("response.output_text.delta", delta=at, item_id="i", logprobs=[{"token": at}])
        for at in ("a ", pat()[:9], pat()[9:], " b", "c")
    ]
    done = typed("response.output_text.done", item_id="i", text=f"a {pat()} bc", logprobs=[
        {"token": at} for at in ("a ", pat()[:9], pat()[9:], " b", "c")
    ])  # fmt: skip
    values = values_of(redacted([*deltas, done]))
    tokens = [token["token"] for value in values[:-1] for token in value["logprobs"]]
    assert tokens == ["a ", " b", "c"]
    assert values[-1]["text"] == f"a {MARK} bc"
    assert values[-1]["logprobs"] == []


def test_log_probabilities_without_their_text_are_left_out() -> None:
    alone = chat({}, choice={"logprobs": {"content": [{"token": pat()[:9]}]}})
    assert values_of(redacted([alone]))[0]["choices"][0]["logprobs"] is None


def test_data_in_several_lines_is_redacted_too() -> None:
    event = b'event: e\r\ndata: {"choices":[{"index":0,\r\ndata: '
    event += b'"delta":{"content":"a %s"}}]}\r\n\r\n'
    passed = redacted([event % pat().encode(), sse(b"[DONE]")])
    assert texts_of(passed) == {CONTENT: f"a {MARK}"}


def test_of_names_that_stand_twice_neither_value_leaks() -> None:
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s","content":"a b"}}]}\n\n'
    passed = redacted([event % pat().encode(), sse(b"[DONE]")])
    assert pat().encode() not in passed
    assert texts_of(passed) == {CONTENT: "a b"}


def test_other_texts_of_a_delta_are_looked_at() -> None:
    annotation = {"url": "https://x.example/", "title": f"see {pat()}"}
    event = typed("response.output_text.delta", delta="hi ", annotations=[annotation])
    assert pat().encode() not in redacted([event])


def test_unreadable_events_are_redacted_as_text() -> None:
    event = b"data: oops %s\n\n"
    assert redacted([event % pat().encode()]) == event % MARK.encode()


LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8)
JSON: Any = st.recursive(
    LEAVES | st.fixed_dictionaries({"x": st.just(pat())}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["choices", "delta", "type", "content", "tool_calls", "function", "arguments", "index",
     "object", "logprobs", "finish_reason", "text", "item_id", "error", "data"]
)  # fmt: skip
ODD: Any = st.recursive(
    JSON | st.sampled_from(["response.output_text.delta", "thread.message.delta", "x.done", "a b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(values=st.lists(st.dictionaries(NAMES, ODD, max_size=4), max_size=5))
@settings(max_examples=200)
def test_odd_events_stay_events_and_hold_no_secret(values: list[dict[str, Any]]) -> None:
    passed = redacted([sse(value) for value in values])
    values_of(passed)
    assert pat().encode() not in passed
