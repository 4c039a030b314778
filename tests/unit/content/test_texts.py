"""Texts are named as people find them, and a socket's end is read together with what follows."""

import json

from openai_gateway.content.texts import MOST_NAMES, TAIL, SocketTail, joined, texts


def test_texts_come_with_their_places_in_order() -> None:
    value = {"model": "m", "messages": [{"content": "a"}, {"content": ["b", 3, {"text": "c"}]}]}
    assert [(place, text) for place, text in texts(value) if "name" not in place] == [
        ("model", "m"),
        ("messages[0].content", "a"),
        ("messages[1].content[0]", "b"),
        ("messages[1].content[2].text", "c"),
    ]


def test_names_are_texts_too() -> None:
    assert ("a name in metadata", "secret") in set(texts({"metadata": {"secret": 1}}))


def test_texts_of_one_name_are_joined() -> None:
    value = {
        "content": [{"type": "x", "text": "ab"}, {"type": "x", "text": "cd"}],
        "tags": ["e", "f"],
    }
    assert joined(value) == {"type": "xx", "text": "abcd", "tags": "ef"}


def test_a_deep_value_is_walked() -> None:
    value: object = "end"
    for _ in range(1000):
        value = [value]
    assert [text for _, text in texts(value)] == ["end"]


def message(text: str, name: str = "delta") -> bytes:
    return json.dumps({"type": "x", name: text}).encode()


def test_nothing_went_before_the_first_message() -> None:
    assert SocketTail().with_next(b"abc") == b""


def test_a_text_in_two_messages_is_read_as_one() -> None:
    tail = SocketTail()
    tail.keep(message("one "))
    assert b"one two" in tail.with_next(message("two"))
    tail.keep(message("two "))
    assert b"one two three" in tail.with_next(message("three"))


def test_messages_that_are_no_json_are_joined_as_they_are() -> None:
    tail = SocketTail()
    tail.keep(b"abc")
    assert tail.with_next(b"def") == b"abcdef"


def test_texts_of_different_names_are_not_joined() -> None:
    tail = SocketTail()
    tail.keep(message("one", "a"))
    assert b"onetwo" not in tail.with_next(message("two", "b"))


def test_a_tail_is_bounded() -> None:
    tail = SocketTail()
    for n in range(200):
        tail.keep(message("x" * 1000, f"n{n}"))
    assert len(tail.raw) == TAIL
    assert len(tail.named) == MOST_NAMES
    assert all(len(text) <= TAIL for text in tail.named.values())
