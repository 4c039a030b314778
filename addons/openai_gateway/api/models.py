"""The names of OpenAI's models: a closed set, so that a label can never hold an invented one."""

from pathlib import Path

from openai_gateway.api.prices import PriceTable


def known_models(path: Path, extra: Path | None = None) -> frozenset[str]:
    """The model names of a price list, those without a price too (its `as_of` dates them).

    Raises: OSError; PriceFileError, which is a ValueError.
    """
    return PriceTable.load(path, extra).names
