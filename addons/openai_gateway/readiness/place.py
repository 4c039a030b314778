"""Which call log a reading command reads, and by which prices: two fields of gateway.yaml.

The keys that the file refers to are not resolved: a shell that reads the log need not hold them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from openai_gateway.config import document
from openai_gateway.config.kinds import Setting
from openai_gateway.config.load import find
from openai_gateway.config.model import Log
from openai_gateway.config.problems import ConfigError
from openai_gateway.config.secrets import Resolver
from openai_gateway.config.translate import faults
from openai_gateway.core.secret import Secret


class NoLog(Exception):
    """The call log cannot be read; the message says why, and the fix."""


@dataclass(frozen=True, slots=True)
class Place:
    """A call log's URL (it may hold a password), and where its relative path starts."""

    database: Secret = field(repr=False)
    root: Path
    prices: str | None = None  # models.prices


def place(config: str | None, environ: Mapping[str, str], cwd: Path) -> Place:
    """The log of the gateway.yaml that a gateway started here would use, or the default one.

    Raises: NoLog.
    """
    try:
        path = find(config, environ, cwd)
    except ConfigError as error:
        raise NoLog(str(error)) from error
    if path is None:
        return _of({}, Resolver(environ, cwd), "environment")
    data = _data(path)
    resolver = Resolver(environ, path.absolute().parent, data.get("allow_exec") is True)
    found = _of(data.get("log", {}), resolver, str(path))
    return replace(found, prices=_prices(data.get("models")))


def named(database: str, environ: Mapping[str, str], cwd: Path) -> Place:
    """The log that an option names as log.database would. Raises: NoLog."""
    return _of({"database": database}, Resolver(environ, cwd), "--from")


def _prices(models: object) -> str | None:
    """As in `_of`: whether it is a good path is for the gateway's start to tell."""
    named = models.get("prices") if isinstance(models, Mapping) else None
    return named if isinstance(named, str) else None


def _data(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            text = file.read(document.MAX_BYTES).decode("utf-8-sig")
        data = document.parse(text).data
    except OSError as error:
        raise NoLog(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, document.Unreadable) as error:
        raise NoLog(f"{path}: is no YAML; {_CHECK}") from error
    return data if isinstance(data, Mapping) else {}


_CHECK: Final = "`openai-gateway config check` tells where"


def _of(log: object, resolver: Resolver, file: str) -> Place:
    """Other fields of `log` may be wrong: that is for the gateway's start to tell."""
    named = log.get("database") if isinstance(log, Mapping) else None
    section = {} if named is None else {"database": named}
    try:
        found = Log.model_validate(section, context=Setting("staging", resolver))
    except ValidationError as error:
        words = "; ".join(message for _, message in faults(error))
        raise NoLog(f"{file}: log.database: {words}") from error
    return Place(found.database.secret, resolver.root)
