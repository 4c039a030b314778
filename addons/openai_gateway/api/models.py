"""The names of OpenAI's models: a closed set, so that a label can never hold an invented one."""

from pathlib import Path

import yaml


def known_models(path: Path) -> frozenset[str]:
    """The model names of rules/prices.yaml (its `as_of` dates them).

    Raises: OSError, yaml.YAMLError, and ValueError where it lists no models.
    """
    with path.open("rb") as file:
        data = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe loaders
    models = data.get("models") if isinstance(data, dict) else None
    if not isinstance(models, dict) or not models:
        raise ValueError(f"{path}: lists no models")
    return frozenset(str(name) for name in models)
