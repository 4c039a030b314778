"""pydantic's errors in our own words: what is wrong, and the fix, without the value itself."""

import difflib
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from openai_gateway.config.model import Config
from openai_gateway.config.problems import Fault, Loc, shown
from openai_gateway.config.shaping import TAGS

_SAID: Final = {
    "missing": "is missing; add it",
    "string_type": "must be a text; put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list; write [ … ] or one `- ` a line",
    "dict_type": "must be a mapping of names to values",
    "mapping_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of fields; leave it out for the defaults",
    "model_attributes_type": "must be a mapping of fields; leave it out for the defaults",
    "invalid_key": "has a name that is no text",
    "too_short": "must not be empty",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}


def faults(error: ValidationError) -> Iterator[Fault]:
    """Each of pydantic's errors as a place in the file and words."""
    told = [(_place(details), details) for details in error.errors(include_url=False)]
    for loc, details in told:
        if details["type"] == "too_short" and any(_below(other, loc) for other, _ in told):
            continue  # empty only because none of its entries is valid
        named = "the name " if details["loc"][-1:] == ("[key]",) else ""
        yield loc, named + _said(details, loc)


def model_at(loc: Loc, start: type[BaseModel] = Config) -> type[BaseModel] | None:
    """The model whose fields stand at `loc`, if it is a mapping of fields."""
    kind: Any = start
    for part in loc:
        kind = _bare(kind)
        if _is_model(kind):
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field else None
        else:
            kind = next(iter(get_args(kind)[isinstance(part, str) :]), None)
    kind = _bare(kind)
    return kind if _is_model(kind) else None


def _place(details: ErrorDetails) -> Loc:
    loc = tuple(part for part in details["loc"] if part not in TAGS)
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _below(loc: Loc, parent: Loc) -> bool:
    return len(loc) > len(parent) and loc[: len(parent)] == parent


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _bare(kind: Any) -> Any:
    """Without Annotated; of a union the part that is a container or a model."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        args = get_args(kind)
        if get_origin(kind) is Annotated:
            kind = args[0]
        else:
            kind = next((a for a in map(_bare, args) if _is_model(a) or get_args(a)), None)
    return kind


def _said(details: ErrorDetails, loc: Loc) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "gateway":
        return str(context["said"])
    if kind == "extra_forbidden":
        return _unknown(loc)
    if kind == "literal_error":
        return _choice(details["input"], str(context["expected"]))
    if details["input"] is None and kind != "missing":
        return "is empty; give it a value, or take the line out"
    return _SAID.get(kind, "is not valid here").format(**context)


def _unknown(loc: Loc) -> str:
    model = model_at(loc[:-1])
    names = list(model.model_fields) if model else []
    near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.6)
    if near:
        return f"unknown field; did you mean `{near[0]}`?"
    return f"unknown field; here may stand {', '.join(names)}"


def _choice(given: object, expected: str) -> str:
    """`expected` is pydantic's list of quoted words."""
    choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
    listed = ", ".join(choices)
    if not isinstance(given, str):
        return f"must be one of {listed}"
    near = difflib.get_close_matches(given.lower(), choices, n=1, cutoff=0.6)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"{shown(given)} is not one of {listed}{hint}"
