"""Finds the family that answers a path; what no family knows is answered by a plain object."""

from collections.abc import Callable, Mapping

from tests.support.fake_openai.answers import Answer
from tests.support.fake_openai.asking import Asking, BadRequest, fresh, now
from tests.support.fake_openai.families import catalog, chat, media, responses, sessions, storage

type Route = Callable[[Asking], Answer]
TABLES: tuple[Mapping[tuple[str, str], Route], ...] = (
    chat.ROUTES,
    responses.ROUTES,
    media.ROUTES,
    catalog.ROUTES,
    storage.ROUTES,
    sessions.ROUTES,
)
ROUTES: dict[tuple[str, str], Route] = {key: route for t in TABLES for key, route in t.items()}


def answer(ask: Asking) -> Answer:
    """The answer of the family, or of OpenAI's 400 where the request does not read."""
    method = "GET" if ask.request.method == "HEAD" else ask.request.method
    path = ask.request.path.rstrip("/")
    try:
        return _find(ask, method, path)(ask)
    except BadRequest as refused:
        return refused.answer


def _find(ask: Asking, method: str, path: str) -> Route:
    exact = ROUTES.get((method, path))
    if exact is not None:
        return exact
    for (wanted, template), route in ROUTES.items():
        found = _params(template, path) if wanted == method else None
        if found is not None:
            ask.params = found
            return route
    return anything


def _params(template: str, path: str) -> dict[str, str] | None:
    """The {segments} of the path, or nothing where it does not fit the template."""
    wanted, given = template.split("/"), path.split("/")
    if len(wanted) != len(given) or "{" not in template:
        return None
    pairs = list(zip(wanted, given, strict=True))
    if any(not w.startswith("{") and w != g for w, g in pairs):
        return None
    return {w.strip("{}"): g for w, g in pairs if w.startswith("{")}


def anything(ask: Asking) -> Answer:
    """Every other endpoint: a list for a GET of a collection, else an object that may be read."""
    segments = ask.request.path.strip("/").split("/")
    if ask.request.method == "DELETE":
        return ask.answer({"id": segments[-1], "object": segments[1:2], "deleted": True})
    if ask.request.method == "GET" and len(segments) % 2 == 0:
        return ask.answer({"object": "list", "data": [], "has_more": False})
    name = "_".join(s for s in segments[1:] if s.isalpha()) or "thing"
    value = {"id": fresh(f"{name}_"), "object": name, "created_at": now(), "status": "completed"}
    return ask.answer(value)
