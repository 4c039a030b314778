"""The JSON Schema of gateway.yaml, for editors and for everything that describes the fields."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from openai_gateway.config.model import Config
from openai_gateway.config.pending import SAID, pending

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """A new copy; secret references are strings with a pattern."""
    made = Config.model_json_schema(schema_generator=_Untitled)
    for part in (made, *made["$defs"].values()):
        _optional(part)
    for name, about in made["properties"].items():
        _say_pending(made, name, about)
    return {"$schema": DRAFT, "title": "gateway.yaml", **made}


class _Untitled(GenerateJsonSchema):
    """Titles are ours (the kind of a value), never a field's name over again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        made = super().model_schema(schema)
        made.pop("title", None)
        return made

    def encode_default(self, dft: Any) -> Any:
        """Addresses, URLs and references as they are written in the file."""
        if isinstance(dft, tuple):
            return [self.encode_default(entry) for entry in dft]
        if isinstance(dft, BaseModel):
            return {}
        if isinstance(dft, float) and dft.is_integer():
            return int(dft)
        return dft if dft is None or isinstance(dft, int | float | str) else str(dft)


def _optional(part: dict[str, Any]) -> None:
    """What has a default may be left out; a section's default is that of its fields."""
    for name, about in part.get("properties", {}).items():
        if "$ref" in about:
            about.pop("default", None)
        elif about.get("type") == "object" and name not in part.get("required", []):
            about.setdefault("default", {})
    required = [
        name for name in part.get("required", []) if "default" not in part["properties"][name]
    ]
    part.pop("required", None)
    if required:
        part["required"] = required


def _say_pending(made: dict[str, Any], section: str, about: dict[str, Any]) -> None:
    inner = made["$defs"].get(about.get("$ref", "").rpartition("/")[2], {})
    if pending((section,)):
        about["description"] = _said(about.get("description") or inner.get("description", ""))
        return
    for name, field in inner.get("properties", {}).items():
        if pending((section, name)):
            field["description"] = _said(field.get("description", ""))


def _said(description: str) -> str:
    return f"{description} ({SAID[0].upper()}{SAID[1:]}.)".strip()
