"""The rule files that one configuration names, read and judged; a fault in one is a problem of the
configuration, told with its file, line and column.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from openai_gateway.api.capabilities import Capabilities
from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.api.price_file import Fault, PriceFileError
from openai_gateway.api.prices import PriceTable
from openai_gateway.config.load import Loaded
from openai_gateway.config.problems import ConfigError, Loc, Problem, dotted
from openai_gateway.config.rules import MODELS, price_files, rule_file
from openai_gateway.leaks.engine.detector import Detector
from openai_gateway.leaks.policy import expired
from openai_gateway.leaks.rules import rule_set
from openai_gateway.leaks.rules.rule import RulesFault
from openai_gateway.limits.profile import Profile
from openai_gateway.limits.rulings import Rulings
from openai_gateway.limits.tiers import Tiers
from openai_gateway.limits.unmatched import Known, never_matching, without_name
from openai_gateway.staging import profile as timing
from openai_gateway.staging.latency import Latency
from openai_gateway.staging.pairs import remarks, today
from openai_gateway.staging.unmatched import meaningless

LIMITS: Final = "rules/limits.yaml"
UNLISTED: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What calls are judged and priced by; `files` are to be watched for changes.

    `detector`: None where leaks.mode is off. `warnings`: what does not stop the start.
    """

    prices: PriceTable
    capabilities: Capabilities
    detector: Detector | None
    rulings: Rulings
    files: tuple[Path, ...]
    latency: Mapping[str, Latency] | None = None  # of shape.latency
    warnings: tuple[Problem, ...] = ()


def read(loaded: Loaded) -> Rulebook:
    """Raises: ConfigError with every problem of the files."""
    leaks = loaded.config.leaks
    listed, own = price_files(loaded.root, loaded.config.models.prices)
    rules = tuple(rule_file(loaded.root, name) for name in leaks.rules)
    tiers = rule_file(loaded.root, LIMITS) if loaded.config.limits.tier is not None else None
    named = loaded.config.limits.profile
    profile = loaded.path_of(named) if named else None
    able, timed = rule_file(loaded.root, MODELS), _timed(loaded)
    given = (listed, own, able, *rules, tiers, profile, timed)
    files = tuple(path for path in given if path is not None)
    named_by = "models.prices and rules/ name price files"
    prices, problems = _from(lambda: PriceTable.load(listed, own), named_by)
    capabilities, faults = _from(lambda: Capabilities.load(able), "rules/ has it")
    problems += faults
    detector, pairs = None, Told()
    notes: tuple[Fault, ...] = ()
    if prices is not None and capabilities is not None:
        pairs = _substitutes(loaded, prices, capabilities)
        problems += pairs.problems
    if leaks.mode != "off":
        try:
            detector, notes = _detector(tuple((path, _digest(path)) for path in rules))
        except PriceFileError as error:
            problems += _problems(error.faults)
        except RulesFault as error:
            file = ", ".join(map(str, rules))
            problems += tuple(Problem(file, 1, 1, "rules", text) for text in error.problems)
    rulings, faults = _rulings(loaded, tiers, profile)
    problems += faults
    latency, faults = _latency(loaded, timed)
    problems += faults
    if problems or prices is None or rulings is None or capabilities is None:
        raise ConfigError(problems, (*loaded.secret_files, *files))
    warnings = (*_problems(notes), *_expired(loaded), *pairs.warnings, *_unmatched(loaded, prices))
    return Rulebook(prices, capabilities, detector, rulings, files, latency, warnings)


@dataclass(frozen=True, slots=True)
class Told:
    """What stops the start, and what is only to be told."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def _substitutes(loaded: Loaded, prices: PriceTable, capabilities: Capabilities) -> Told:
    """What is wrong with models.substitute. A section that is off stops nothing."""
    section = loaded.config.models
    where = str(loaded.path or "environment")
    wrong: list[Problem] = []
    told: list[Problem] = []
    for one in remarks(section.substitute, prices, capabilities, today()):
        place = loaded.lines.place(("models", "substitute", one.pattern))
        problem = Problem(where, *place, f"models.substitute.{one.pattern}", one.message)
        (wrong if one.grave and section.mode != "off" else told).append(problem)
    return Told(tuple(wrong), tuple(told))


def _from[T](load: Callable[[], T], named_by: str) -> tuple[T | None, tuple[Problem, ...]]:
    """What a file holds, or its problems."""
    try:
        return load(), ()
    except PriceFileError as error:
        return None, _problems(error.faults)
    except OSError as error:
        message = f"cannot be read ({error.strerror}); {named_by}"
        return None, (Problem(str(error.filename), 1, 1, "(file)", message),)


def _rulings(
    loaded: Loaded, tiers: Path | None, profile: Path | None
) -> tuple[Rulings | None, tuple[Problem, ...]]:
    def load() -> Rulings:
        published = Tiers.load(tiers) if tiers else None
        learned = Profile.load(profile) if profile else None
        return Rulings(loaded.config.limits, loaded.where, published, learned)

    return _from(load, "limits.profile and rules/ name it")


def _timed(loaded: Loaded) -> Path | None:
    named = loaded.config.shape.latency
    return loaded.path_of(named) if isinstance(named, str) else None


def _latency(
    loaded: Loaded, path: Path | None
) -> tuple[Mapping[str, Latency] | None, tuple[Problem, ...]]:
    """The table of gateway.yaml, or of the file that it names."""
    said = loaded.config.shape.latency
    if path is None:
        return (None if isinstance(said, str) else said), ()
    try:
        return timing.load(path), ()
    except PriceFileError as error:
        return None, _problems(error.faults)
    except OSError as error:
        message = f"cannot be read ({error.strerror}); shape.latency names it"
        return None, (Problem(str(path), 1, 1, "(file)", message),)


def _unmatched(loaded: Loaded, prices: PriceTable) -> Iterator[Problem]:
    """Rules of limits, budgets and faults that no call falls under, or that decide nothing."""
    config = loaded.config
    known = Known(
        key=frozenset(mapping.name for mapping in config.keys.mappings),
        model=prices.names,
        client=frozenset(config.clients.credentials) or None,
    )
    for number, why in never_matching(config.limits.rules, known):
        yield _noted(loaded, ("limits", "rules", number), why)
    matches = [one.match for one in config.budgets] + [one.match for one in config.shape.faults]
    if any(match.endpoint for match in matches):
        known = replace(known, endpoint=_endpoints(loaded))
    for number, budget in enumerate(config.budgets):
        if never := without_name(budget.match, known):
            yield _noted(loaded, ("budgets", number), never)
    for number, rule in enumerate(config.shape.faults):
        if never := without_name(rule.match, known):
            yield _noted(loaded, ("shape", "faults", number), never)
        for name, why in meaningless(rule):
            yield _noted(loaded, ("shape", "faults", number, name), why)


def _noted(loaded: Loaded, loc: Loc, why: str) -> Problem:
    return Problem(str(loaded.path or "environment"), *loaded.lines.place(loc), dotted(loc), why)


def _endpoints(loaded: Loaded) -> frozenset[str] | None:
    """The names of the table; None where it cannot be read, which is told elsewhere."""
    try:
        found = EndpointTable.load(rule_file(loaded.root, "rules/endpoints.yaml"))
    except (OSError, ValueError):
        return None
    return frozenset((*found.names(), UNLISTED))


@lru_cache(maxsize=2)
def _detector(files: tuple[tuple[Path, str], ...]) -> tuple[Detector, tuple[Fault, ...]]:
    """Compiling takes a second, and most reloads change other things: the digests tell.

    Raises: RuleFileError, RulesFault.
    """
    paths = [path for path, _ in files]
    found = rule_set.read(paths, times=0)  # the compiled whole tries the examples
    try:
        return Detector(found.rules), found.notes
    except RulesFault:
        rule_set.read(paths)  # tells file and line, where a rule fails by itself
        raise


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""  # reading it will tell


def _problems(faults: Iterable[Fault]) -> tuple[Problem, ...]:
    return tuple(
        Problem(fault.file, fault.line, fault.column, fault.path, fault.message) for fault in faults
    )


def _expired(loaded: Loaded) -> tuple[Problem, ...]:
    allowed = loaded.config.leaks.allow
    return tuple(
        Problem(
            str(loaded.path or "environment"),
            *loaded.lines.place(("leaks", "allow", number)),
            f"leaks.allow.{number}",
            f"has expired on {allowed[number].until}: it allows nothing any more; renew or drop it",
        )
        for number in expired(allowed, datetime.now(UTC).date())
    )
