"""The stage notes all that it found, each once, and judges where messages meet."""

import json
import random
from types import SimpleNamespace
from typing import Any

import pytest

from openai_gateway.content.texts import SocketTail
from openai_gateway.core.call import Call, Content, Found, Request
from openai_gateway.core.clock import SystemClock
from openai_gateway.core.verdict import Refuse
from openai_gateway.leaks.reading.budget import budget_for
from openai_gateway.leaks.rules.template import fill
from openai_gateway.leaks.stage import Leaks
from tests.leaks.subject import detector_of, on_message

CHANCE = random.Random(7)  # noqa: S311 - no secret of anybody
GITHUB = fill("ghp_{alnum:30}{crc32}", CHANCE).decode()
GITLAB = fill("glpat-{alnum:20}", CHANCE).decode()


def stage(mode: str = "enforce", allow: tuple[tuple[str, str], ...] = ()) -> Leaks:
    entries = [
        SimpleNamespace(rule=rule, path=path, value_sha256=None, until=None) for rule, path in allow
    ]
    policy: Any = SimpleNamespace(
        mode=mode, action="block", responses="report", on_budget="report", allow=entries
    )
    return Leaks(policy, detector_of(), SystemClock())


def ask(by: Leaks, value: object) -> tuple[object, Call]:
    """The stage's verdict on a JSON body, given in this thread whatever its size."""
    body = json.dumps(value).encode()
    call = Call(Request("POST", "api.openai.com", b"/v1/chat/completions", []))
    call.content = Content(body, "json", value)
    budget = budget_for(len(body), SystemClock())
    return by._checked(call, detector_of(), budget), call


def on_socket(by: Leaks, *texts: str) -> tuple[list[bool], Call]:
    """Which of the messages were refused."""
    call = Call(Request("GET", "api.openai.com", b"/v1/realtime", []), websocket=True)
    tail, refused = SocketTail(), []
    for text in texts:
        frame = json.dumps({"item": {"content": [{"text": text}]}}).encode()
        said, content = on_message(call, by, tail, frame)
        refused.append(isinstance(said, Refuse))
        if not refused[-1]:
            tail.keep(content)
    return refused, call


def test_many_reports_hide_no_block() -> None:
    many = [{"content": fill("ek_{hex:32}", CHANCE).decode()} for _ in range(150)]
    said, call = ask(stage(), {"messages": [*many, {"content": GITHUB}]})
    assert isinstance(said, Refuse)
    assert "github-pat" in call.leaks


def test_observe_notes_a_message_once() -> None:
    _, call = on_socket(stage("observe"), f"say {GITLAB} .", "hello", "again")
    assert call.found == {Found("gitlab-token", "would_block", "websocket"): 1}


def test_observe_notes_what_two_messages_hold_together_once() -> None:
    _, call = on_socket(stage("observe"), GITHUB[:20], GITHUB[20:], "hello")
    assert call.found == {Found("github-pat", "would_block", "websocket"): 1}


def test_a_value_that_was_refused_is_refused_over_two_messages_too() -> None:
    refused, call = on_socket(stage(), GITHUB, GITHUB[:20], GITHUB[20:])
    assert refused == [True, False, True]
    assert call.found == {Found("github-pat", "blocked", "websocket"): 2}


def test_what_is_allowed_at_its_place_holds_no_later_message_up() -> None:
    by = stage(allow=(("github-pat", "item.content[*].text"),))
    assert on_socket(by, f"say {GITHUB} .", "hello")[0] == [False, False]


@pytest.mark.parametrize(
    ("allowed", "value"),
    [
        ("header x-trace", {"header x-trace": GITHUB}),
        ("the url path", {"the url path": GITHUB}),
        ("tools[*].headers.authorization", {"tools[0].headers.authorization": GITHUB}),
        ("tools[*].headers.authorization", {"tools[0]": {"headers.authorization": GITHUB}}),
        ("metadata.note", {"metadata.note": GITHUB}),
        ("a.b", [{"a": {"…": {"b": GITHUB}}}]),
    ],
)
def test_a_name_does_not_pose_as_a_place_that_is_allowed(allowed: str, value: object) -> None:
    said, _ = ask(stage(allow=(("*", allowed),)), value)
    assert isinstance(said, Refuse)


@pytest.mark.parametrize(
    ("allowed", "value"),
    [
        ("tools[*].headers.authorization", {"tools": [{"headers": {"authorization": GITHUB}}]}),
        ('metadata."a.b"', {"metadata": {"a.b": GITHUB}}),
        ("metadata.*", {"metadata": {"a b": GITHUB}}),
        ("metadata.*", {"metadata": {"é": GITHUB}}),
    ],
)
def test_what_stands_at_the_allowed_place_passes(allowed: str, value: object) -> None:
    said, call = ask(stage(allow=(("*", allowed),)), value)
    assert not isinstance(said, Refuse)
    assert call.leaks == ()
