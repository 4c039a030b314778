"""What an answer of each endpoint bills: OpenAI's own word where it gives one, else an estimate. A
call that was answered never costs nothing by mistake."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from openai_gateway.api import tokens as estimates
from openai_gateway.api import usage_units as units
from openai_gateway.api.usage_once import charge_id, is_final
from openai_gateway.api.usage_reading import NOTHING, Parsed, Reader
from openai_gateway.api.usage_tokens import drawn, heard, named, said, tokens
from openai_gateway.core.usage import Usage

type Object = Mapping[str, object]
type Shape = Callable[[Object, Object, Reader], Usage | None]


def from_json(endpoint: str, answer: object, request: object = None) -> Parsed:
    """The bill of an answer that is no stream.

    endpoint: the name of its row in rules/endpoints.yaml, or `unknown`; answer: its JSON value,
    or its text, or None (binary); request: the JSON value of its body. Never raises.
    """
    read = Reader()
    told = answer if isinstance(answer, dict) else NOTHING
    asked = request if isinstance(request, dict) else NOTHING
    if not is_final(endpoint, answer):
        return Parsed(charge_id=charge_id(endpoint, answer), final=False)
    shape = SHAPES.get(endpoint)
    usage = shape(told, asked, read) if shape else None
    missing = usage is None
    if missing and endpoint in ESTIMATED and not told.get("error"):
        usage = _estimate(endpoint, answer, asked, read)
    return Parsed(
        usage=usage,
        anomalies=read.anomalies,
        charge_id=charge_id(endpoint, answer),
        cumulative=endpoint.startswith("agents.sessions."),
        guessed=missing and usage is not None and usage.source == "estimated",
        containers=_containers(endpoint, told, asked) if usage else (),
    )


def _containers(endpoint: str, answer: Object, request: Object) -> tuple[tuple[str, str], ...]:
    if endpoint == "containers.create":
        return units.container(answer)
    return units.containers(answer, request) if endpoint.startswith("responses.") else ()


def _estimate(endpoint: str, answer: object, request: Object, read: Reader) -> Usage | None:
    """The bill of an answer that came without one."""
    if endpoint == "audio.speech":
        return units.spoken(request)
    told = answer if isinstance(answer, dict) else NOTHING
    if endpoint.startswith("audio."):
        return units.listened(told.get("text") if told else answer)
    if not told:
        return None
    image = 0
    if endpoint.startswith("images."):
        pictures = len(list(units.objects(told, "data")))
        image = pictures * estimates.of_picture(request.get("quality"))
    made = estimates.of_value([told.get("choices"), told.get("output")]) + image
    asked = estimates.of_request(request)
    usage = Usage(
        input_tokens=asked,
        output_tokens=made,
        image_output_tokens=image,
        total_tokens=asked + made,
        source="estimated",
    )
    usage = replace(
        usage, model=read.text(told, "model"), service_tier=read.text(told, "service_tier")
    )
    return units.with_tools(usage, told, _containers(endpoint, told, request), read)


def _chat(answer: Object, request: Object, read: Reader) -> Usage | None:
    usage = _tokens(answer, request, read)
    if usage and "-search-" in (usage.model or str(request.get("model"))):
        return replace(usage, units={"web_search": 1})  # these models are paid by the call too
    return usage


def _tokens(answer: Object, _: Object, read: Reader) -> Usage | None:
    return named(tokens(read.inner(answer, "usage"), read), answer, read)


def _response(answer: Object, request: Object, read: Reader) -> Usage | None:
    usage = _tokens(answer, request, read)
    found = units.containers(answer, request)
    return usage and units.with_tools(usage, answer, found, read)


def _images(answer: Object, request: Object, read: Reader) -> Usage | None:
    told = read.inner(answer, "usage")
    usage = drawn(tokens(told, read), told)
    parts = tuple(units.svg(answer, read))
    if usage is None and str(request.get("model")).startswith("dall-e"):
        count = len(list(units.objects(answer, "data")))
        usage = Usage(units={"image": count}, source="reported")
    if usage is None and not parts:
        return None
    return replace(usage or Usage(source="reported"), parts=parts)


def _varied(answer: Object, _: Object, read: Reader) -> Usage | None:
    return _images(answer, {"model": "dall-e-2"}, read)


def _transcription(answer: Object, _: Object, read: Reader) -> Usage | None:
    told = read.inner(answer, "usage")
    if told.get("type") == "duration":
        return units.seconds(told, read)
    return heard(tokens(told, read), told) or units.seconds(answer, read, "duration")


def _speech(answer: Object, _: Object, read: Reader) -> Usage | None:
    return said(tokens(read.inner(answer, "usage"), read))


def _free(_answer: Object, _request: Object, _: Reader) -> Usage:
    return Usage(source="reported")


def _video(answer: Object, _: Object, read: Reader) -> Usage | None:
    return units.video(read.amount(answer, "seconds"), answer, read)


def _extension(answer: Object, request: Object, read: Reader) -> Usage | None:
    # the answer tells the length of the whole, of which only the added part is new
    return units.video(read.amount(request, "seconds"), answer, read)


def _job(answer: Object, _: Object, read: Reader) -> Usage | None:
    return units.training(answer, read)


def _runs(answer: Object, _: Object, read: Reader) -> Usage | None:
    """An evaluation: a bill for each model that it ran."""
    bills = list(units.objects(answer, "per_model_usage"))
    return _sum([(read.text(bill, "model_name"), tokens(bill, read)) for bill in bills])


def _graders(answer: Object, _: Object, read: Reader) -> Usage | None:
    bills = read.inner(answer, "model_grader_token_usage_per_model")
    return _sum([(name, tokens(read.inner(bills, name), read)) for name in bills])


def _sum(bills: list[tuple[str | None, Usage | None]]) -> Usage | None:
    parts = tuple(replace(usage, model=model) for model, usage in bills if usage)
    return Usage(source="reported", parts=parts) if parts else None


def _container(answer: Object, _request: Object, _: Reader) -> Usage:
    return Usage(units=units.counted(units.container(answer)), source="estimated")


SHAPES: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("chat.create", "chat.get", "chat.update", "completions.create"), _chat),
    **dict.fromkeys(
        ("responses.create", "responses.get", "responses.cancel", "responses.ws"), _response
    ),
    **dict.fromkeys(("responses.compact", "decisions.create", "embeddings.create"), _tokens),
    **dict.fromkeys(("batches.create", "batches.get", "batches.cancel"), _tokens),
    **dict.fromkeys(("agents.sessions.create", "agents.sessions.get"), _tokens),
    **dict.fromkeys(("threads", "threads.create_and_run", "threads.runs.create"), _tokens),
    **dict.fromkeys(("threads.runs.get", "threads.runs.tools", "unknown"), _tokens),
    **dict.fromkeys(("images.generate", "images.edit"), _images),
    "images.vary": _varied,
    **dict.fromkeys(("audio.transcribe", "audio.translate"), _transcription),
    "audio.speech": _speech,
    "moderations.create": _free,
    **dict.fromkeys(("videos.create", "videos.get", "videos.remix", "videos.edit"), _video),
    "videos.extend": _extension,
    **dict.fromkeys(("fine_tuning.create", "fine_tuning.get", "fine_tuning.cancel"), _job),
    **dict.fromkeys(("evals.runs.create", "evals.runs.get"), _runs),
    "graders.run": _graders,
    "containers.create": _container,
}
ESTIMATED: Final = frozenset(
    {"chat.create", "completions.create", "responses.create", "responses.compact"}
    | {"decisions.create", "embeddings.create", "images.generate", "images.edit"}
    | {"audio.speech", "audio.transcribe", "audio.translate"}
)
