"""What gateway.yaml says in `shape`, for a shell that holds none of the keys that it refers to."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from openai_gateway.config import document
from openai_gateway.config.kinds import Section
from openai_gateway.config.load import setting_of, text_of
from openai_gateway.config.problems import ConfigError, Problem, dotted
from openai_gateway.config.shaping import Shape
from openai_gateway.config.translate import faults


class _Shaped(Section):
    shape: Shape = Shape()


def shaped(path: Path | None, environ: Mapping[str, str]) -> Shape:
    """Without a file nothing is shaped. Raises: ConfigError, for what stands in this section."""
    if path is None:
        return Shape()
    try:
        found = document.parse(text_of(path))
    except document.Unreadable as error:
        problem = Problem(str(path), *error.place, dotted(()), error.message)
        raise ConfigError((problem,)) from error
    data = found.data if isinstance(found.data, Mapping) else {}
    setting = setting_of(data, environ, path.absolute().parent)
    said = {"shape": data["shape"]} if "shape" in data else {}
    try:
        return _Shaped.model_validate(said, context=setting).shape
    except ValidationError as error:
        problems = tuple(
            Problem(str(path), *found.place(loc, key=False), dotted(loc), message)
            for loc, message in faults(error)
        )
        raise ConfigError(problems) from error
