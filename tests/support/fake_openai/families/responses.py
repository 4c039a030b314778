"""The Responses API: JSON, a stream of response.* events, background answers read later."""

from collections.abc import Iterator
from typing import Any

from tests.support.fake_openai.answers import Answer, error, event, of_json, stream
from tests.support.fake_openai.asking import Asking, fresh, now, tokens

type Object = dict[str, Any]


def create(ask: Asking) -> Answer:
    """POST /v1/responses."""
    body = ask.json
    if "prompt" not in body:
        _ = ask.model
    if body.get("background") and not body.get("stream"):
        whole = ask.keep(finished(ask, body))
        return of_json({**whole, "status": "queued", "usage": None, "output": []})
    if body.get("stream"):
        return stream(event(value, value["type"]) for value in events(ask, body))
    return of_json(ask.keep(finished(ask, body)))


def begun(body: Object) -> Object:
    """A response at its start, with the fields that the SDKs require."""
    return {
        "id": fresh("resp_"),
        "object": "response",
        "created_at": now(),
        "status": "in_progress",
        "background": bool(body.get("background")),
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body.get("model") or "gpt-6-luna",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "metadata": body.get("metadata") or {},
    }


def finished(ask: Asking, body: Object, start: Object | None = None) -> Object:
    """The same response with its output and usage."""
    start = start or begun(body)
    output = [_message(ask.text, "completed")] if body.get("generate", True) else []
    done = {"status": "completed", "output": output, "usage": usage(ask, body)}
    return ask.patched({**start, **done})


def usage(ask: Asking, body: Object) -> Object:
    asked = tokens(body.get("input"))
    made = tokens(ask.text) if body.get("generate", True) else 0
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + made,
    }


def _message(text: str, status: str, item: str = "") -> Object:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    head = {"id": item or fresh("msg_"), "type": "message", "role": "assistant"}
    return {**head, "status": status, "content": content if text else []}


def events(ask: Asking, body: Object) -> Iterator[Object]:
    """The events of one response in order, numbered from 0."""
    for number, value in enumerate(_events(ask, body)):
        yield {**value, "sequence_number": number}


def _events(ask: Asking, body: Object) -> Iterator[Object]:
    start = begun(body)
    hidden = (body.get("stream_options") or {}).get("include_obfuscation", True)
    yield {"type": "response.created", "response": start}
    yield {"type": "response.in_progress", "response": start}
    done = finished(ask, body, start)
    if body.get("generate", True):
        yield from _output(ask, hidden)
    yield {"type": f"response.{done['status']}", "response": ask.keep(done)}


def _output(ask: Asking, hidden: bool) -> Iterator[Object]:
    item = fresh("msg_")
    place: Object = {"item_id": item, "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    everything = "".join(ask.deltas)
    whole = {**empty, "text": everything}
    start, end = _message("", "in_progress", item), _message(everything, "completed", item)
    yield {"type": "response.output_item.added", "output_index": 0, "item": start}
    yield {"type": "response.content_part.added", **place, "part": empty}
    for text in ask.deltas:
        extra = {"obfuscation": "q9Z" * (1 + len(text) % 4)} if hidden else {}
        yield {"type": "response.output_text.delta", **place, "delta": text, "logprobs": []} | extra
    yield {"type": "response.output_text.done", **place, "text": everything, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": whole}
    yield {"type": "response.output_item.done", "output_index": 0, "item": end}


def read(ask: Asking) -> Answer:
    """GET of a response; a background one has finished by then. `?stream=true` replays its end."""
    found = ask.memory.objects.get(ask.params["response_id"])
    if found is None:
        text = f"Response with id '{ask.params['response_id']}' not found."
        return error(404, "invalid_request_error", None, text)
    if "stream=true" in ask.request.query:
        last = {"type": "response.completed", "response": found, "sequence_number": 0}
        return stream([event(last, "response.completed")])
    return of_json(found)


def cancel(ask: Asking) -> Answer:
    found = ask.memory.objects.get(ask.params["response_id"], {"id": ask.params["response_id"]})
    return ask.answer({"object": "response", **found, "status": "cancelled"})


def count(ask: Asking) -> Answer:
    value = {"object": "response.input_tokens", "input_tokens": tokens(ask.json.get("input"))}
    return ask.answer(value)


def compact(ask: Asking) -> Answer:
    item = {"id": fresh("cmp_"), "type": "compaction", "encrypted_content": "RkFLRQ=="}
    head: Object = {"id": fresh("resp_"), "object": "response.compaction", "created_at": now()}
    return ask.answer({**head, "output": [item], "usage": usage(ask, ask.json)})


def decide(ask: Asking) -> Answer:
    """POST /v1/decisions."""
    head: Object = {"id": fresh("dec_"), "object": "decision", "created_at": now()}
    head |= {"model": ask.model, "decision": "yes"}
    return ask.answer({**head, "usage": usage(ask, ask.json)})


ROUTES = {
    ("POST", "/v1/responses"): create,
    ("GET", "/v1/responses/{response_id}"): read,
    ("POST", "/v1/responses/{response_id}/cancel"): cancel,
    ("POST", "/v1/responses/input_tokens"): count,
    ("POST", "/v1/responses/compact"): compact,
    ("POST", "/v1/decisions"): decide,
}
