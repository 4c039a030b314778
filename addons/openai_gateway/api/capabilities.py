"""What OpenAI's models can do, as rules/models.yaml tells it: the guard of a model's substitute.

What the file does not list is not known, and nothing is ever guessed from a name that is alike.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from openai_gateway.api.price_file import PriceFileError, Value, read

CLASSES: Final = frozenset({"chat", "audio", "realtime", "speech", "transcription"})
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
INPUTS: Final = frozenset({"text", "image", "file", "audio"})
CHAT_TOOLS: Final = frozenset({"effort_none", "never", "always"})
_TOP: Final = ("as_of", "source", "fields", "parameters", "families")
_FAMILY: Final = (
    *("models", "class", "endpoints", "input", "tools", "chat_tools", "structured"),
    *("reasoning", "efforts", "default_effort", "check"),
)
_SNAPSHOT: Final = re.compile(r"(.+)-[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Capable:
    """One family of models. Without `endpoints` it takes nobody's place.

    `chat_tools`: how functions may be given in chat (effort_none, never, always).
    """

    kind: str = ""
    endpoints: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    chat_tools: str = "always"
    structured: bool = False
    reasoning: bool = False
    efforts: frozenset[str] = frozenset()
    default_effort: str | None = None

    @property
    def own_effort(self) -> str | None:
        """The effort of a call that names none; None where nobody has said."""
        return self.default_effort if self.reasoning else "none"


@dataclass(slots=True)
class Capabilities:
    """The file, read. `parameters` are allow lists by class and endpoint."""

    as_of: str = ""
    models: dict[str, Capable] = field(default_factory=dict)
    parameters: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises: OSError; PriceFileError with every fault's file, line and column."""
        top = read(path)
        found = cls()
        fields = top.mapping(_TOP)
        for name in ("as_of", "parameters", "families"):
            if name not in fields:
                top.fault(f"needs {name}")
        if "as_of" in fields:
            found.as_of = fields["as_of"].date()
        _read_parameters(found, fields.get("parameters"))
        sources = fields["source"].mapping() if "source" in fields else {}
        for value in fields["families"].items() if "families" in fields else ():
            _read_family(found, value, sources)
        if top.faults:
            raise PriceFileError(top.faults)
        return found

    def lookup(self, model: str) -> Capable | None:
        """A model's family: by its name, or without its date. A fine-tune has none."""
        found = self.models.get(model)
        if found is None and (dated := _SNAPSHOT.fullmatch(model)):
            found = self.models.get(dated[1])
        return found

    def allowed(self, kind: str, endpoint: str) -> frozenset[str]:
        """The fields that a request may have whose model is replaced."""
        return self.parameters.get((kind, endpoint), frozenset())


def _read_parameters(found: Capabilities, value: Value | None) -> None:
    for kind, endpoints in (value.mapping(CLASSES) if value else {}).items():
        for endpoint, names in endpoints.mapping().items():
            found.parameters[kind, endpoint] = _texts(names)


def _read_family(found: Capabilities, value: Value, sources: Mapping[str, Value]) -> None:
    fields = value.mapping(_FAMILY)
    for name in ("models", "class", "check"):
        if name not in fields:
            value.fault(f"needs {name}")
    for one in fields["check"].items() if "check" in fields else ():
        one.word(sources)
    family = _capable(fields)
    _judge(found, family, fields)
    for one in fields["models"].items() if "models" in fields else ():
        if one.text() in found.models:
            one.fault("is listed twice; keep it once")
        found.models[one.text()] = family


def _capable(fields: Mapping[str, Value]) -> Capable:
    return Capable(
        kind=fields["class"].word(CLASSES) if "class" in fields else "",
        endpoints=_texts(fields.get("endpoints")),
        inputs=_words(fields.get("input"), INPUTS),
        tools=_texts(fields.get("tools")),
        chat_tools=fields["chat_tools"].word(CHAT_TOOLS) if "chat_tools" in fields else "always",
        structured="structured" in fields and fields["structured"].true(),
        reasoning="reasoning" in fields and fields["reasoning"].true(),
        efforts=_words(fields.get("efforts"), EFFORTS),
        default_effort=_effort(fields.get("default_effort")),
    )


def _judge(found: Capabilities, family: Capable, fields: Mapping[str, Value]) -> None:
    """What the fields of one family must agree on."""
    for one in fields["endpoints"].items() if "endpoints" in fields else ():
        if (family.kind, one.text()) not in found.parameters:
            one.fault(f"has no list of parameters for the class {family.kind or '?'} above")
    default = family.default_effort
    if default is not None and default not in family.efforts:
        fields["default_effort"].fault("is not among its efforts")


def _effort(value: Value | None) -> str | None:
    return value.word(EFFORTS) if value else None


def _words(value: Value | None, known: Collection[str]) -> frozenset[str]:
    return frozenset(one.word(known) for one in value.items()) if value else frozenset()


def _texts(value: Value | None) -> frozenset[str]:
    return frozenset(one.text() for one in value.items()) if value else frozenset()
