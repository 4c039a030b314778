"""Models, embeddings and moderations: small answers without streams."""

import base64
import struct
from typing import Any

from tests.support.fake_openai.answers import Answer, error, of_json
from tests.support.fake_openai.asking import Asking, fresh, tokens

MODELS = {
    "gpt-6-luna": None,
    "gpt-6.1-sol": None,
    "gpt-6.1-terra": None,
    "gpt-5.4-mini": None,
    "gpt-5-mini": "2026-12-11",
    "gpt-4o-mini": "2027-01-14",
    "gpt-realtime-2.1": None,
    "gpt-image-2": None,
    "text-embedding-3-small": None,
    "omni-moderation-latest": None,
}

JUDGED = {
    "harassment": ("threatening",),
    "hate": ("threatening",),
    "illicit": ("violent",),
    "self-harm": ("intent", "instructions"),
    "sexual": ("minors",),
    "violence": ("graphic",),
}


def _model(name: str) -> dict[str, Any]:
    value = {"id": name, "object": "model", "created": 1767225600, "owned_by": "system"}
    end = MODELS.get(name)
    return {**value, "shutdown_date": end} if end else value


def models(ask: Asking) -> Answer:
    return ask.answer({"object": "list", "data": [_model(name) for name in MODELS]})


def model(ask: Asking) -> Answer:
    name = ask.params["model"]
    if name in MODELS:
        return ask.answer(_model(name))
    text = f"The model `{name}` does not exist or you do not have access to it."
    return error(404, "invalid_request_error", "model_not_found", text)


def embeddings(ask: Asking) -> Answer:
    """POST /v1/embeddings: floats, or the same as base64 of little-endian 32-bit floats."""
    given = ask.json.get("input")
    many = given if isinstance(given, list) else [given]
    size = int(ask.json.get("dimensions") or 8)
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(ask, n, size)}
        for n, _ in enumerate(many)
    ]
    used = tokens(given)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return ask.answer({"object": "list", "data": data, "model": ask.model, "usage": usage})


def _vector(ask: Asking, seed: int, size: int) -> list[float] | str:
    values = [((seed + 1) * (n + 1) % 16) / 16 for n in range(size)]
    if ask.json.get("encoding_format") != "base64":
        return values
    return base64.b64encode(struct.pack(f"<{size}f", *values)).decode()


def moderations(ask: Asking) -> Answer:
    names = [*JUDGED, *(f"{kind}/{finer}" for kind, more in JUDGED.items() for finer in more)]
    result = {
        "flagged": False,
        "categories": dict.fromkeys(names, False),
        "category_scores": dict.fromkeys(names, 0.0001),
        "category_applied_input_types": {name: ["text"] for name in names},
    }
    name = ask.json.get("model") or "omni-moderation-latest"
    return of_json(ask.patched({"id": fresh("modr-"), "model": name, "results": [result]}))


ROUTES = {
    ("GET", "/v1/models"): models,
    ("GET", "/v1/models/{model}"): model,
    ("POST", "/v1/embeddings"): embeddings,
    ("POST", "/v1/moderations"): moderations,
}
