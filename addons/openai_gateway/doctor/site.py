"""What the probes start from: the configuration as far as it can be read, and where things are."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from openai_gateway import rulebook
from openai_gateway.config.load import Loaded, find, load
from openai_gateway.config.model import Config
from openai_gateway.config.problems import ConfigError, Problem
from openai_gateway.core.secret import Secret
from openai_gateway.rulebook import Rulebook
from openai_gateway.services import known_secrets, other_secrets

_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be reached, not bound


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for. `calls`: calls with the real keys may be made, one of which costs;
    `model` is the one that it is made with."""

    config: str | None
    listen: tuple[str, int]
    calls: bool = False
    offline: bool = False
    model: str = "gpt-5.4-nano"


@dataclass(frozen=True, slots=True)
class Site:
    """`loaded` and `rules` are None where gateway.yaml has `problems`.

    `remote`: the gateway's address is not one of this machine, which is then a client of it.
    """

    wish: Wish
    environ: Mapping[str, str] = field(repr=False)
    path: Path | None
    root: Path
    loaded: Loaded | None
    rules: Rulebook | None
    problems: tuple[Problem, ...]
    remote: bool
    now: datetime

    @property
    def config(self) -> Config | None:
        return self.loaded.config if self.loaded else None

    @property
    def certs(self) -> Path:
        return self.root / "certs"

    @property
    def gateway(self) -> tuple[str, int]:
        """Where the gateway is reached from here."""
        host, port = self.wish.listen
        return _ANY.get(host, host), port

    def secrets(self) -> list[Secret]:
        """All that no line may show."""
        return [*known_secrets(self.config), *other_secrets(self.config)] if self.config else []


def survey(wish: Wish, environ: Mapping[str, str], cwd: Path, now: datetime | None = None) -> Site:
    """Reads the configuration; what is wrong with it is kept and not raised."""
    path, loaded, rules = None, None, None
    problems: tuple[Problem, ...] = ()
    try:
        path = find(wish.config, environ, cwd)
        loaded = load(path, environ)
        rules = rulebook.read(loaded)
    except ConfigError as error:
        problems = error.problems
    root = path.absolute().parent if path else cwd
    remote = not is_ours(wish.listen[0])
    now = now or datetime.now(UTC)
    return Site(wish, environ, path, root, loaded, rules, problems, remote, now)


def is_ours(host: str) -> bool:
    """Whether an address is one of this machine: then, and only then, it can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.bind((host, 0))
    except (OSError, UnicodeError):  # a name that is none
        return False
    return True
