"""The limits that a simulation is about: those that its options name, else gateway.yaml's."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from openai_gateway.cli.rules import section

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.config.policy import Limits
    from openai_gateway.limits.rulings import Rulings
    from openai_gateway.limits.tiers import Tiers

TIERS: Final = "rules/limits.yaml"
_AMOUNTS: Final = ("rpm", "tpm", "rpd", "tpd", "ipm", "concurrency")
_MATCHES: Final = ("key", "model", "client", "endpoint")
# Of the section; the store and its password are none of a simulation's business.
_READ: Final = ("on_limit", "max_wait_s", "tier", "profile", "rules")
_NONE: Final = "there are no limits to simulate; name some with --tier, --profile or --rule"


@dataclass(frozen=True, slots=True)
class Given:
    """`words` name them in a sentence; `tiers` where a tier is one of them."""

    rulings: "Rulings"
    words: str
    on_limit: str
    max_wait_s: float
    tiers: "Tiers | None"


def given(tier: int | None, profile: str | None, rules: Sequence[str], config: str | None) -> Given:
    """Options name all that holds, or nothing. Raises: click's errors."""
    if tier is None and profile is None and not rules:
        return _configured(config)
    said: dict[str, Any] = {"rules": tuple(map(_rule, rules))}
    said |= {"tier": tier} if tier is not None else {}
    said |= {"profile": profile} if profile is not None else {}
    words = [f"tier {tier}"] * (tier is not None)
    words += [f"profile {profile}"] * (profile is not None) + [f"rule {rule}" for rule in rules]
    return _given(_judged(said, "--rule", click.UsageError), Path.cwd(), " and ".join(words))


def _configured(config: str | None) -> Given:
    from openai_gateway.config.load import find
    from openai_gateway.config.problems import ConfigError

    try:
        path = find(config, os.environ, Path.cwd())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    found = {} if path is None else section(path, "limits")
    said = {name: found[name] for name in _READ if name in found}
    limits = _judged(said, f"{path}: limits", click.ClickException)
    if path is None or (limits.tier is None and limits.profile is None and not limits.rules):
        raise click.UsageError(_NONE)
    return _given(limits, path.absolute().parent, str(path))


def _judged(said: Mapping[str, object], where: str, wrong: type[click.ClickException]) -> "Limits":
    from pydantic import ValidationError

    from openai_gateway.config.kinds import Setting
    from openai_gateway.config.policy import Limits
    from openai_gateway.config.problems import dotted
    from openai_gateway.config.translate import faults

    try:
        return Limits.model_validate(said, context=Setting())
    except ValidationError as error:
        words = "; ".join(f"{dotted(loc)}: {message}" for loc, message in faults(error))
        raise wrong(f"{where}: {words}") from error


def _given(limits: "Limits", root: Path, words: str) -> Given:
    from openai_gateway.api.price_file import PriceFileError
    from openai_gateway.config.rules import rule_file
    from openai_gateway.limits.profile import Profile
    from openai_gateway.limits.rulings import Rulings
    from openai_gateway.limits.tiers import Tiers

    tiers = profile = None
    try:
        if limits.tier is not None:
            tiers = Tiers.load(rule_file(root, TIERS))
        if limits.profile is not None:
            profile = Profile.load(root / limits.profile)
    except PriceFileError as error:
        raise click.ClickException("\n".join(map(str, error.faults))) from error
    except OSError as error:
        raise click.ClickException(
            f"{error.filename}: cannot be read ({error.strerror})"
        ) from error
    rulings = Rulings(limits, lambda _: "", tiers, profile)
    return Given(rulings, words, limits.on_limit, limits.max_wait_s, tiers)


def _rule(text: str) -> dict[str, object]:
    """`rpm=500,tpm=30000,per=key+model,model=gpt-5*`, as limits.rules would say it."""
    rule: dict[str, Any] = {}
    match: dict[str, str] = {}
    for pair in text.split(","):
        name, is_given, value = (part.strip() for part in pair.partition("="))
        if not is_given or not value or name in rule or name in match:
            raise click.UsageError(f"--rule: {_FORM}")
        if name in _AMOUNTS:
            rule[name] = int(value) if value.isascii() and value.isdigit() else value
        elif name in _MATCHES:
            match[name] = value
        elif name == "name":
            rule["name"] = value
        elif name == "per":
            rule["per"] = tuple(value.split("+"))
        else:
            raise click.UsageError(f"--rule: {_FORM}")
    return rule | {"match": match}


_FORM: Final = (
    "write LIMIT=NUMBER, with commas between: rpm, tpm, rpd, tpd, ipm, concurrency; per=key+model "
    "(also client, endpoint) for a bucket each; key=, model=, client=, endpoint= for which calls"
)
