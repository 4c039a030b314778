"""Whether gateway.yaml says what can be used: itself, its keys, what it lets through for a time."""

from collections.abc import Iterator, Sequence
from typing import Final

from openai_gateway.api.keys import KeyKind, kind_of
from openai_gateway.config.load import WITHOUT_FILE
from openai_gateway.config.model import KeyMapping
from openai_gateway.config.problems import Problem
from openai_gateway.doctor.finding import Part, Told, told, unknown
from openai_gateway.doctor.site import Site
from openai_gateway.keys.mapping import REJECT
from openai_gateway.leaks.policy import expired

SHOWN: Final = 5
_CHECK: Final = "openai-gateway config check"
_GOOD: Final = frozenset({KeyKind.PROJECT, KeyKind.SERVICE})


def problems(site: Site) -> Told:
    """What `config check` would say."""
    if site.problems:
        return told("configuration", _parts("fail", site.problems))
    if site.loaded is None or site.rules is None:
        return unknown(("configuration",), "could not be read", _CHECK)
    name = str(site.path or f"{WITHOUT_FILE}, without a gateway.yaml")
    fine = Part("pass", f"{name}: {site.loaded.config.environment}")
    warnings = (*site.loaded.warnings, *site.rules.warnings)
    return told("configuration", [fine, *_parts("warn", warnings)])


def _parts(status: str, found: Sequence[Problem]) -> list[Part]:
    parts = [Part(status, str(one), _CHECK) for one in found[:SHOWN]]  # type: ignore[arg-type]
    rest = len(found) - SHOWN
    return [*parts, Part(status, f"and {rest} more", _CHECK)] if rest > 0 else parts  # type: ignore[arg-type]


def keys(site: Site) -> Told:
    """Whether every reference gives a key, and whether the keys are what they are used for."""
    if site.loaded is None:
        named = [one for one in site.problems if _of_keys(one)]
        if named:
            return told("keys", _parts("fail", named))
        return unknown(("keys",), "gateway.yaml cannot be used", "see `configuration`")
    said = site.loaded.config.keys
    parts = [part for mapping in said.mappings for part in _mapping(mapping)]
    if said.unknown != REJECT:
        text = f"keys.unknown: every unknown key leaves as mapping {said.unknown}"
        parts.append(Part("warn", text, "keys.unknown: reject"))
    return told("keys", parts)


def _of_keys(problem: Problem) -> bool:
    return problem.path.startswith(("keys", "OPENAI_API_KEY_"))


def _mapping(mapping: KeyMapping) -> Iterator[Part]:
    number, staging = len(mapping.production), mapping.staging
    yield Part("pass", f"{mapping.name}: {number} production key{'s' if number > 1 else ''}")
    if staging is None:
        yield Part("pass", f"{mapping.name}: no staging key, the client's own is sent on")
        return
    if staging.secret.digest() in {one.digest for one in mapping.production}:
        text = f"{mapping.name}: staging and production are one and the same key"
        yield Part("fail", text, "make a key in a staging project of its own")
    kind = kind_of(staging.secret)
    if kind not in _GOOD:
        text = f"{mapping.name}: the staging key from {staging.source} is of {_kind(kind)}"
        yield Part("warn", text, "use a project's or service account's key (sk-proj-, sk-svcacct-)")


def _kind(kind: KeyKind) -> str:
    return "a user, who has every project" if kind is KeyKind.LEGACY else str(kind)


def allowances(site: Site) -> Told:
    """Which entries of leaks.allow have run out."""
    if site.loaded is None:
        return unknown(("allowances",), "gateway.yaml cannot be used", "see `configuration`")
    allowed = site.loaded.config.leaks.allow
    over = expired(allowed, site.now.date())
    parts = [Part("pass", f"{len(allowed) - len(over)} in force")]
    for number in over:
        where, one = site.loaded.where(f"leaks.allow.{number}"), allowed[number]
        text = f"{where}: for {one.rule} ended on {one.until}"
        parts.append(Part("warn", text, "renew or drop what has ended"))
    return told("allowances", parts)
