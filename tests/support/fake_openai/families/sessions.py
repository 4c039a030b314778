"""Sessions whose answers hold an ephemeral key, which the fake then accepts as a credential."""

import os
from typing import Any

from tests.support.fake_openai.answers import Answer
from tests.support.fake_openai.asking import Asking, fresh, now

LIFE_S = 600


def _mint(ask: Asking) -> str:
    key = f"ek_FAKE{os.urandom(16).hex()}"
    ask.door.minted.add(key)
    return key


def _life(ask: Asking) -> int:
    after = ask.json.get("expires_after") or {}
    return now() + int(after.get("seconds", LIFE_S))


def client_secret(ask: Asking) -> Answer:
    """POST /v1/realtime/client_secrets (and of translations): `value` is a bearer key."""
    session: dict[str, Any] = {"id": fresh("sess_"), "object": "realtime.session"}
    session |= {"type": "realtime", "model": "gpt-realtime-2.1", **(ask.json.get("session") or {})}
    return ask.answer({"value": _mint(ask), "expires_at": _life(ask), "session": session})


def session(ask: Asking) -> Answer:
    """The beta's shape, and ChatKit's: the key lies in client_secret."""
    secret = {"value": _mint(ask), "expires_at": _life(ask)}
    kind = "chatkit.session" if "chatkit" in ask.request.path else "realtime.session"
    head = {"id": fresh("sess_"), "object": kind, "model": ask.json.get("model")}
    inside: object = secret["value"] if "chatkit" in kind else secret
    return ask.answer({**head, "client_secret": inside, "expires_at": _life(ask)})


def call(_: Asking) -> Answer:
    """POST /v1/realtime/calls: an SDP answer, the call's id in the Location header."""
    headers = [("location", f"/v1/realtime/calls/{fresh('rtc_')}")]
    return Answer(
        201, "application/sdp", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=fake\r\n", None, headers
    )


ROUTES = {
    ("POST", "/v1/realtime/client_secrets"): client_secret,
    ("POST", "/v1/realtime/translations/client_secrets"): client_secret,
    ("POST", "/v1/realtime/sessions"): session,
    ("POST", "/v1/realtime/transcription_sessions"): session,
    ("POST", "/v1/chatkit/sessions"): session,
    ("POST", "/v1/realtime/calls"): call,
}
