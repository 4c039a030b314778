"""The system under test: what the gateway's leak stage says of a case.

The request is put into a Call, read as bodies/stage.py reads it, and shown to the stage, as the
corridor does it. What could not be read is refused by another stage; here that is a fault of the
corpus, and no find.
"""

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

from openai_gateway.bodies.stage import ReadContent
from openai_gateway.config.policy import Leaks as Settings
from openai_gateway.content.texts import SocketTail
from openai_gateway.core import verdict as said
from openai_gateway.core.call import Call, Request
from openai_gateway.core.clock import SystemClock
from openai_gateway.core.corridor import walk
from tests.leaks.case import Case, Sent
from tests.leaks.judge import Verdict

type Action = Literal["block", "redact", "report"]

RULES: Final = Path(__file__).parents[2] / "rules"
HOST: Final = "api.openai.com"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of a request, and the request as it would leave."""

    verdict: Verdict
    leaves: Sent


def verdict(case: Case) -> Verdict:
    """By the default action."""
    return outcome(case).verdict


def outcome(case: Case, action: Action = "block", files: tuple[str, ...] = ()) -> Outcome:
    """`files` are the names of rule files beside the usual one."""
    stage = stage_of(action, files)
    if case.sent.method == "WS":
        return on_socket(case.sent, stage)
    return runner().run(on_call(case, stage))


async def on_call(case: Case, stage: Any) -> Outcome:
    call = call_of(case.sent)
    found = await walk([ReadContent(Settings().max_body_bytes), stage], call)
    if call.content.fault is not None:
        raise ValueError(f"{case.id} cannot be read: {call.content.fault}")
    leaves = Sent(
        call.request.method,
        call.request.target,
        call.request.body,
        call.request.first(b"content-type").decode(),
        tuple(own_headers(call.request)),
        call.request.trailers,
    )
    return Outcome(named(found, call, changed=is_changed(case.sent, call.request)), leaves)


def on_socket(sent: Sent, stage: Any) -> Outcome:
    """The messages one after the other; one that is refused ends it."""
    call, tail = call_of(sent), SocketTail()
    content = sent.body
    for message in (*sent.earlier, sent.body):
        found, content = on_message(call, stage, tail, message)
        if isinstance(found, said.Refuse):
            break
        tail.keep(content)
    changed = content != sent.body
    return Outcome(named(found, call, changed=changed), replace(sent, body=content))


def on_message(call: Call, stage: Any, tail: SocketTail, message: bytes) -> tuple[object, bytes]:
    """One message and its seam with what went before, as host/exchange.py judges them."""
    found = stage.message(call, message)
    content = found.content if hasattr(found, "content") else message
    seam = tail.with_next(content)
    if seam and not isinstance(found, said.Refuse):
        found = stage.message(call, seam, whole=False)
    return found, content


def named(found: object, call: Call, changed: bool) -> Verdict:
    if isinstance(found, said.Refuse):
        return "blocked"
    if changed:
        return "redacted"
    return "reported" if call.leaks else "clean"


def call_of(sent: Sent) -> Call:
    """The call as the host makes it."""
    method = "GET" if sent.method == "WS" else sent.method
    request = Request(method, HOST, sent.target, sent.all_headers())
    request.body = b"" if sent.method == "WS" else sent.body
    request.trailers = sent.trailers
    return Call(request, websocket=sent.method == "WS")


def own_headers(request: Request) -> list[tuple[bytes, bytes]]:
    """Those that Sent does not add by itself."""
    usual = {name for name, _ in Sent("GET", b"/", b"x").all_headers()}
    return [(name, value) for name, value in request.headers if name.lower() not in usual]


def is_changed(sent: Sent, request: Request) -> bool:
    """Whether the stage changed what leaves."""
    before = (sent.target, sent.body, sent.all_headers(), sent.trailers)
    return before != (request.target, request.body, request.headers, request.trailers)


@cache
def runner() -> asyncio.Runner:
    """One loop for all cases: a new one for each costs more than the question."""
    return asyncio.Runner()


@cache
def detector_of(files: tuple[str, ...] = ()) -> Any:
    load = import_module("openai_gateway.leaks.rules.rule_set").load
    rules = load([RULES / name for name in ("secrets.yaml", *files)])
    return import_module("openai_gateway.leaks.engine.detector").Detector(rules)


@cache
def stage_of(action: Action, files: tuple[str, ...] = ()) -> Any:
    """The stage as chain.py builds it."""
    stage = import_module("openai_gateway.leaks.stage").Leaks
    return stage(Settings(action=action), detector_of(files), SystemClock())
