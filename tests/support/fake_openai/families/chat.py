"""Chat completions and the old completions: JSON, or a stream of chunks that ends in [DONE]."""

from collections.abc import Iterator
from typing import Any

from tests.support.fake_openai.answers import Answer, error, event, of_json, stream
from tests.support.fake_openai.asking import Asking, fresh, now, tokens

type Object = dict[str, Any]
DONE = b"[DONE]"


def create(ask: Asking) -> Answer:
    """POST /v1/chat/completions."""
    head: Object = {"id": fresh("chatcmpl-"), "created": now(), "model": ask.model}
    if ask.json.get("stream"):
        return stream(_chunks(ask, head))
    choices = [
        {
            "index": n,
            "message": {"role": "assistant", "content": ask.text, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
        for n in range(int(ask.json.get("n") or 1))
    ]
    value = {**head, "object": "chat.completion", "choices": choices, "usage": usage(ask)}
    value |= {"service_tier": "default", "system_fingerprint": "fp_fake"}
    return of_json(ask.keep(value))


def usage(ask: Asking) -> Object:
    asked, made = tokens(ask.json.get("messages") or ask.json.get("prompt")), tokens(ask.text)
    return {
        "prompt_tokens": asked,
        "completion_tokens": made,
        "total_tokens": asked + made,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chunks(ask: Asking, head: Object) -> Iterator[bytes]:
    """The last chunk but [DONE] carries the usage, only where the caller asked to include it."""
    options = ask.json.get("stream_options") or {}
    included = bool(options.get("include_usage"))
    common: Object = {**head, "object": "chat.completion.chunk", "service_tier": "default"}
    common |= {"system_fingerprint": "fp_fake"} | ({"usage": None} if included else {})
    hidden = options.get("include_obfuscation", True)

    def chunk(delta: Object, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        extra = {"obfuscation": "x7Q" * (1 + len(str(delta)) % 4)} if hidden else {}
        return event({**common, "choices": [choice], **extra})

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for text in ask.deltas:
        yield chunk({"content": text})
    yield chunk({}, "stop")
    if included:
        yield event(ask.patched({**common, "choices": [], "usage": usage(ask)}))
    yield event(DONE)


def complete(ask: Asking) -> Answer:
    """POST /v1/completions, the legacy one."""
    head: Object = {"id": fresh("cmpl-"), "object": "text_completion", "created": now()}
    head |= {"model": ask.model}
    if ask.json.get("stream"):
        return stream(_texts(ask, head))
    choice = {"text": ask.text, "index": 0, "logprobs": None, "finish_reason": "stop"}
    return ask.answer({**head, "choices": [choice], "usage": usage(ask)})


def _texts(ask: Asking, head: Object) -> Iterator[bytes]:
    included = bool((ask.json.get("stream_options") or {}).get("include_usage"))
    nothing = {"usage": None} if included else {}
    for text in ask.deltas:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": None}
        yield event({**head, "choices": [choice], **nothing})
    last = {"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}
    yield event({**head, "choices": [last], **nothing})
    if included:
        yield event(ask.patched({**head, "choices": [], "usage": usage(ask)}))
    yield event(DONE)


def stored(ask: Asking) -> Answer:
    """GET or POST of a stored completion."""
    found = ask.memory.objects.get(ask.params["completion_id"])
    if found is None:
        text = f"Completion {ask.params['completion_id']} not found"
        return error(404, "invalid_request_error", None, text)
    return of_json(found)


ROUTES = {
    ("POST", "/v1/chat/completions"): create,
    ("GET", "/v1/chat/completions/{completion_id}"): stored,
    ("POST", "/v1/chat/completions/{completion_id}"): stored,
    ("POST", "/v1/completions"): complete,
}
