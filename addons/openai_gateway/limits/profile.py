"""Production's own limits by model, from a file that `openai-gateway profile learn` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from openai_gateway.api.price_file import PriceFileError, Value, read
from openai_gateway.limits.limit import Kind
from openai_gateway.limits.tiers import Amounts, amounts, listed_as

KINDS: Final[tuple[Kind, ...]] = ("rpm", "tpm", "rpd", "tpd", "ipm", "concurrency")


class Profile:
    """The section `limits` of the file; what else it holds is for others."""

    __slots__ = ("_models",)

    def __init__(self, models: Mapping[str, Value]) -> None:
        self._models = {name: amounts(value, KINDS) for name, value in models.items()}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises: OSError; PriceFileError with every fault's file, line and column."""
        top = read(path)
        found = top.mapping()
        if "limits" not in found:
            top.fault("lacks `limits`; write it with `openai-gateway profile learn`")
        made = cls(found["limits"].mapping() if "limits" in found else {})
        if top.faults:
            raise PriceFileError(top.faults)
        return made

    def of(self, model: str) -> tuple[str, Amounts] | None:
        """The name under which a model is listed, and its limits; None where it is not."""
        name = next((name for name in listed_as(model) if name in self._models), None)
        return None if name is None else (name, self._models[name])
