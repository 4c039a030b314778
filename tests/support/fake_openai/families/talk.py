"""What the WebSocket endpoints say: realtime, responses by stream_id, live, translations."""

from typing import Any

from tests.support.fake_openai.asking import Asking, fresh
from tests.support.fake_openai.families import responses
from tests.support.fake_openai.sockets import Conversation, Talker

type Object = dict[str, Any]


class Responses:
    """/v1/responses: each response.create is a response of its own, events interleave."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask

    async def opened(self, talker: Talker) -> None:
        """Nothing is said before the first response.create."""

    async def heard(self, talker: Talker, event: Object) -> None:
        lane = {"stream_id": event["stream_id"]} if "stream_id" in event else {}
        if event.get("type") != "response.create":
            wrong = _error("invalid_request_error", "unknown_event", "Unknown event.")
            return await talker.tell({"type": "error", "status": 400, **lane, "error": wrong})
        body = event.get("response") if isinstance(event.get("response"), dict) else event
        for value in responses.events(self._ask, dict(body or {})):
            await talker.tell({**value, **lane})
        return None


class Realtime:
    """/v1/realtime: a session, items, and responses that end in response.done with their usage."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask
        self._session: Object = {"id": fresh("sess_"), "object": "realtime.session"}
        self._session |= {"type": "realtime", "model": _query(ask, "model") or "gpt-realtime-2.1"}

    async def opened(self, talker: Talker) -> None:
        await self._say(talker, "session.created", session=self._session)

    async def heard(self, talker: Talker, event: Object) -> None:
        match event.get("type"):
            case "session.update":
                self._session |= event.get("session") or {}
                await self._say(talker, "session.updated", session=self._session)
            case "conversation.item.create":
                item = {"id": fresh("item_"), **(event.get("item") or {})}
                await self._say(talker, "conversation.item.added", item=item)
                await self._say(talker, "conversation.item.done", item=item)
            case "input_audio_buffer.commit":
                await self._committed(talker)
            case "response.create":
                await self._respond(talker, event.get("response") or {})
            case "input_audio_buffer.append" | "input_audio_buffer.clear" | "response.cancel":
                pass
            case other:
                wrong = _error("invalid_request_error", "invalid_value", f"Unknown: {other}")
                error = {**wrong, "event_id": event.get("event_id")}
                await self._say(talker, "error", error=error)

    async def _committed(self, talker: Talker) -> None:
        item = fresh("item_")
        await self._say(talker, "input_audio_buffer.committed", item_id=item)
        name = "conversation.item.input_audio_transcription.completed"
        details = {"audio_tokens": 126, "text_tokens": 14}
        usage = {"type": "tokens", "input_tokens": 140, "input_token_details": details}
        usage |= {"output_tokens": 45, "total_tokens": 185}
        heard = {"item_id": item, "content_index": 0, "transcript": "The fake heard."}
        await self._say(talker, name, **heard, usage=usage)

    async def _respond(self, talker: Talker, asked: Object) -> None:
        made: Object = {"id": fresh("resp_"), "object": "realtime.response", "output": []}
        made |= {"status": "in_progress", "metadata": asked.get("metadata"), "usage": None}
        await self._say(talker, "response.created", response=made)
        place = {"response_id": made["id"], "item_id": fresh("item_"), "output_index": 0}
        place |= {"content_index": 0}
        for text in self._ask.deltas:
            await self._say(talker, "response.output_text.delta", **place, delta=text)
        text = "".join(self._ask.deltas)
        await self._say(talker, "response.output_text.done", **place, text=text)
        done = self._ask.patched({**made, "status": "completed", "usage": _usage()})
        await self._say(talker, "response.done", response=done)

    async def _say(self, talker: Talker, kind: str, **fields: Any) -> None:
        await talker.tell({"type": kind, "event_id": fresh("event_"), **fields})


class Live:
    """/v1/live/sessions: the seconds of use are told as a sum that grows."""

    def __init__(self, ask: Asking) -> None:
        self._ask, self._seconds = ask, 0.0

    async def opened(self, talker: Talker) -> None:
        """Nothing is said before session.start."""

    async def heard(self, talker: Talker, event: Object) -> None:
        if event.get("type") == "session.start":
            session = {"id": fresh("live_"), **(event.get("session") or {})}
            await talker.tell({"type": "session.started", "session": session})
        self._seconds += 10.0
        usage = self._ask.patched({"seconds": self._seconds})
        await talker.tell({"type": "session.usage.updated", "usage": usage})


def conversation(ask: Asking) -> Conversation:
    """The conversation of the path."""
    path = ask.request.path.rstrip("/")
    if path == "/v1/responses":
        return Responses(ask)
    return Live(ask) if path.startswith("/v1/live") else Realtime(ask)


def _query(ask: Asking, name: str) -> str | None:
    pairs = (pair.partition("=") for pair in ask.request.query.split("&"))
    return next((value for key, _, value in pairs if key == name), None)


def _error(kind: str, code: str, message: str) -> Object:
    return {"type": kind, "code": code, "message": message, "param": None}


def _usage() -> Object:
    inside = {"text_tokens": 119, "audio_tokens": 381, "image_tokens": 0, "cached_tokens": 320}
    cached = {"text_tokens": 64, "audio_tokens": 256, "image_tokens": 0}
    return {
        "total_tokens": 700,
        "input_tokens": 500,
        "input_token_details": {**inside, "cached_tokens_details": cached},
        "output_tokens": 200,
        "output_token_details": {"text_tokens": 40, "audio_tokens": 160},
    }
