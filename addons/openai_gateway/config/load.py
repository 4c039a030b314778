"""Reads gateway.yaml: either a whole configuration, or every problem in it at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from openai_gateway.config import checks, document, pending, translate
from openai_gateway.config.kinds import Setting
from openai_gateway.config.model import PRODUCTION_KEY, STAGING_KEY, Config
from openai_gateway.config.places import in_the_clear
from openai_gateway.config.problems import ConfigError, Fault, Loc, Place, Problem, dotted
from openai_gateway.config.secrets import Reference, Resolver

NAME: Final = "gateway.yaml"
VARIABLE: Final = "OPENAI_GATEWAY_CONFIG"
WITHOUT_FILE: Final = "environment"
_CLEAR: Final = "is http: others on the network can read its URL, and post there; use https"
_EMPTY: Final = "is empty; it needs at least `keys` (gateway.example.yaml shows everything)"


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the fields of a file stand, for messages that name the line to change."""

    name: str = WITHOUT_FILE
    found: document.Document = field(default_factory=document.Document, repr=False)

    def where(self, path: str) -> str:
        """`keys.mappings.0` → `gateway.yaml:12`; without a file the word `environment`."""
        if self.name == WITHOUT_FILE:
            return self.name
        loc = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
        return f"{self.name}:{self.place(loc)[0]}"

    def place(self, loc: Loc) -> Place:
        """Line and column of a field; of one that is not in the file, where it would be."""
        return self.found.place(loc, key=True)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used, and where it came from.

    `root` is where relative paths start; `secret_files` are those that file: references name.
    """

    config: Config
    path: Path | None
    root: Path
    warnings: tuple[Problem, ...] = ()
    lines: Lines = field(default_factory=Lines, repr=False)
    secret_files: tuple[Path, ...] = ()

    def path_of(self, name: str) -> Path:
        """A path of the file, as it is meant: relative ones start at its folder."""
        return self.root / name

    def where(self, path: str) -> str:
        """The file and line of a field, as `lines.where`."""
        return self.lines.where(path)


def find(explicit: str | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file to read: the one that is named, by option or variable, else ./gateway.yaml.

    Raises ConfigError where a named file is not there.
    """
    named = explicit or environ.get(VARIABLE)
    given = Path(named or NAME)
    path = given if cwd == Path.cwd() else cwd / given
    if path.is_file():
        return path
    if not named and not path.exists() and not path.is_symlink():
        return None
    source = "the option" if explicit else VARIABLE if named else "the working directory"
    raise _alone(str(path), (1, 1), f"is no file that can be read ({source} names it)")


def load(path: Path | None, environ: Mapping[str, str]) -> Loaded:
    """The configuration in `path`, or without one the defaults. Raises ConfigError."""
    if path is None:
        return _without_file(environ)
    return read(text_of(path), environ, path=path)


def read(text: str, environ: Mapping[str, str], *, path: Path = Path(NAME)) -> Loaded:
    """The configuration that `text` is, as if it stood in `path`. Raises ConfigError."""
    try:
        found = document.parse(text)
    except document.Unreadable as error:
        raise _alone(str(path), error.place, error.message) from error
    if not isinstance(found.data, Mapping):
        message = _EMPTY if found.data is None else "must be a mapping of fields at the top"
        raise _alone(str(path), (1, 1), message)
    root = path.absolute().parent
    setting = setting_of(found.data, environ, root)
    config, faults = _judged(found.data, setting)
    problems = _problems(found, faults, str(path))
    secret_files = tuple(setting.resolver.files)
    if problems or config is None:
        raise ConfigError(problems, secret_files)
    return Loaded(
        config,
        path,
        root,
        _warnings(found, setting, config, str(path)),
        Lines(path.name, found),
        secret_files,
    )


def _without_file(environ: Mapping[str, str]) -> Loaded:
    data: dict[str, Any] = {"keys": {}}
    root = Path.cwd()
    config, faults = _judged(data, setting_of(data, environ, root))
    if faults or config is None:
        raise ConfigError(tuple(_of_environment(fault) for fault in faults))
    return Loaded(config, None, root)


def _of_environment(fault: Fault) -> Problem:
    loc, message = fault
    name = STAGING_KEY if loc[-1] == "staging" else PRODUCTION_KEY
    if name in message:
        message = f"is not set; export {name}=…, or write a {NAME} (see gateway.example.yaml)"
    return Problem(WITHOUT_FILE, 1, 1, name, message)


def text_of(path: Path) -> str:
    """What stands in the file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(document.MAX_BYTES + 1)
        if len(data) > document.MAX_BYTES:
            raise _alone(str(path), (1, 1), f"is larger than {document.MAX_BYTES} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise _alone(str(path), (1, 1), f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _alone(str(path), (line, 1), "is no UTF-8 text; save it as UTF-8") from error


def setting_of(data: Mapping[str, Any], environ: Mapping[str, str], root: Path) -> Setting:
    """What must be known before values can be judged; faults in it are told by the model."""
    allowed = data.get("allow_exec")
    words = ("on", "yes") if isinstance(allowed, document.Bare) else ()
    allow_exec = allowed is True or str(allowed).lower() in words
    environment = "production" if data.get("environment") == "production" else "staging"
    return Setting(environment, Resolver(environ, root, allow_exec))


def _judged(data: Mapping[str, Any], setting: Setting) -> tuple[Config | None, list[Fault]]:
    faults: list[Fault] = []
    config = None
    try:
        config = Config.model_validate(data, context=setting)
    except ValidationError as error:
        faults += translate.faults(error)
    return config, faults + list(checks.faults(data, setting))


def _problems(found: document.Document, faults: Iterable[Fault], file: str) -> tuple[Problem, ...]:
    """In the order of the lines; what follows from a fault that was told is left out."""
    problems = {Problem(file, *place, dotted(loc), message) for loc, place, message in found.faults}
    for loc, message in faults:
        if any(loc[:end] in found.withheld for end in range(1, len(loc) + 1)):
            continue
        place = found.place(loc, key=_named(message))
        problems.add(Problem(file, *place, dotted(loc), message))
    return tuple(sorted(problems, key=lambda p: (p.line, p.column, p.path, p.message)))


def _named(message: str) -> bool:
    """Whether the fault is in the name and not in the value."""
    return message.startswith(("unknown field", "is missing", "the name "))


def _warnings(
    found: document.Document, setting: Setting, config: Config, file: str
) -> tuple[Problem, ...]:
    warned: list[Fault] = list(pending.found(dict(found.data)))  # type: ignore[call-overload]
    for source, message in setting.resolver.warnings.items():
        warned += [(loc, message) for loc in found.texts.get(source, [])[:1]]
    warned += [
        (("passthrough", number), "lets clients reach every host but OpenAI's; name the hosts")
        for number, entry in enumerate(config.passthrough)
        if entry.host == "*"
    ]
    warned += [(loc, _CLEAR) for loc, webhook in _webhooks(config) if in_the_clear(webhook)]
    problems = [
        Problem(file, *found.place(loc, key=True), dotted(loc), text) for loc, text in warned
    ]
    return tuple(sorted(problems, key=lambda p: (p.line, p.column)))


def _webhooks(config: Config) -> Iterator[tuple[Loc, Reference]]:
    for number, budget in enumerate(config.budgets):
        if budget.webhook is not None:
            yield ("budgets", number, "webhook"), budget.webhook
    for number, webhook in enumerate(config.alerts.webhooks):
        yield ("alerts", "webhooks", number), webhook


def _alone(file: str, place: Place, message: str) -> ConfigError:
    return ConfigError((Problem(file, *place, dotted(()), message),))
