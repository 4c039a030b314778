"""The kinds of value that a field can have: what is accepted, and what is said of anything else."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from openai_gateway.config.document import Bare
from openai_gateway.config.problems import shown
from openai_gateway.config.secrets import KeyIdentity, Reference, Resolver, Unresolved

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HEADER_SAFE: Final = re.compile(r"[\x21-\x7e]{1,255}")
_HEX64: Final = re.compile(r"[0-9a-fA-F]{64}")
_BOOLEANS: Final = {"on": True, "yes": True, "off": False, "no": False}


@dataclass(slots=True)
class Setting:
    """What values are judged against: the environment's name, and where secrets are read."""

    environment: str = "staging"
    resolver: Resolver = field(default_factory=Resolver)


def wrong(message: str) -> PydanticCustomError:
    """A fault in our own words."""
    return PydanticCustomError("gateway", "{said}", {"said": message})


def setting(info: ValidationInfo) -> Setting:
    """The setting of this load; without one every reference is unresolved."""
    return info.context if isinstance(info.context, Setting) else Setting()


class Section(BaseModel):
    """One mapping of the file: no unknown fields, no conversions, never changed once read."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _by_environment(cls, data: Any, info: ValidationInfo) -> Any:
        """Fills in the defaults that differ in production."""
        if not isinstance(data, Mapping) or setting(info).environment != "production":
            return data
        return _in_production(cls) | dict(data)


def _in_production(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: extra["x-production"]
        for name, about in model.model_fields.items()
        if isinstance(extra := about.json_schema_extra, dict) and "x-production" in extra
    }


def _word(value: object) -> object:
    if not isinstance(value, Bare):
        return value
    return "off" if value.lower() == "off" else str(value)


def _switch(value: object) -> object:
    return _BOOLEANS.get(value.lower(), value) if isinstance(value, Bare) else value


WORD: Final = BeforeValidator(_word)
"""Goes before every Literal: a bare `off` is the word."""

Switch = Annotated[bool, BeforeValidator(_switch)]
Mode = Annotated[Literal["off", "observe", "enforce"], WORD]


def text(judge: Callable[[str], str], kind: str, **schema: Any) -> Any:
    """What Annotated takes for a string that `judge` accepts or raises ValueError for."""

    def judged(value: str) -> str:
        try:
            return judge(str(value))
        except ValueError as error:
            raise wrong(str(error)) from error

    return AfterValidator(judged), WithJsonSchema({"type": "string", "title": kind, **schema})


def parsed(read: Callable[[str], Any], kind: str, **schema: Any) -> Any:
    """What Annotated takes for an object that `read` makes of a string or raises ValueError for."""

    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise wrong(f"must be a text ({kind})")
        try:
            return read(str(value))
        except ValueError as error:
            raise wrong(str(error)) from error

    return (
        PlainValidator(validate),
        PlainSerializer(str),
        WithJsonSchema({"type": "string", "title": kind, **schema}),
    )


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be letters, digits, `-`, `_` and `.`, 63 at most")
    return value


def _glob(value: str) -> str:
    if not _HEADER_SAFE.fullmatch(value):
        raise ValueError("is no name or glob; use 1 to 255 characters without spaces")
    return value


def _header(value: str) -> str:
    if not _HEADER_SAFE.fullmatch(value):
        raise ValueError("cannot be sent in a header; use 1 to 255 characters without spaces")
    return value


def _path(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("is no path")
    return value


def _phrase(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; say it in words")
    return value


def _zone(value: str) -> str:
    try:
        return value if value == "UTC" else ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{shown(value)} is no time zone; write it as Europe/Berlin") from error


def _sha256(value: str) -> str:
    if not _HEX64.fullmatch(value):
        raise ValueError("is no sha256; write 64 hexadecimal digits")
    return value.lower()


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is no date; write it as 2026-12-31") from error


Name = Annotated[str, *text(_name, "name", pattern=f"^{_NAME.pattern}$")]
Glob = Annotated[str, *text(_glob, "name or glob")]
HeaderText = Annotated[str, *text(_header, "text")]
PathText = Annotated[str, *text(_path, "path")]
Phrase = Annotated[str, *text(_phrase, "text")]
Zone = Annotated[str, *text(_zone, "time zone")]
Sha256 = Annotated[str, *text(_sha256, "sha256", pattern=r"^[0-9a-fA-F]{64}$")]
Day = Annotated[date, *parsed(_day, "date", format="date")]


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


ONE_OR_MORE: Final = BeforeValidator(_several)
"""Goes before a tuple: a value that stands alone is a list of one."""


def one_or_more_schema(kind: str) -> WithJsonSchema:
    """How editors are told of it."""
    one = {"type": "string"}
    listed = {"type": "array", "items": one}
    return WithJsonSchema({"anyOf": [one, listed], "title": f"{kind}, or a list of them"})


def _referring(read: str) -> PlainValidator:
    def validate(value: object, info: ValidationInfo) -> object:
        try:
            return getattr(setting(info).resolver, read)(value)
        except Unresolved as error:
            raise wrong(str(error)) from error

    return PlainValidator(validate)


REFERENCE_PATTERN: Final = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|exec:\[.+\])$"
_KEY_PATTERN: Final = REFERENCE_PATTERN[:-2] + r"|sha256:[0-9a-fA-F]{64})$"


def _reference_schema(kind: str, pattern: str) -> Any:
    return WithJsonSchema({"type": "string", "title": kind, "pattern": pattern})


Ref = Annotated[
    Reference,
    _referring("reference"),
    PlainSerializer(str),
    _reference_schema("reference", REFERENCE_PATTERN),
]
KeyRef = Annotated[
    Reference,
    _referring("key"),
    PlainSerializer(str),
    _reference_schema("reference", REFERENCE_PATTERN),
]
Key = Annotated[
    KeyIdentity,
    _referring("identity"),
    PlainSerializer(str),
    _reference_schema("reference or sha256:HEX", _KEY_PATTERN),
]
