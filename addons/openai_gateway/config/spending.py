"""What gateway.yaml says of spending, for a shell that holds none of the keys and webhooks that the
file refers to: budgets, and the store that gateways share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from openai_gateway.config import document
from openai_gateway.config.kinds import Section
from openai_gateway.config.load import setting_of, text_of
from openai_gateway.config.places import StoreUrl, literal
from openai_gateway.config.policy import Budget, Budgets
from openai_gateway.config.problems import ConfigError, Problem, dotted
from openai_gateway.config.translate import faults
from openai_gateway.core.secret import Secret

MEMORY: Final = "memory"


@dataclass(frozen=True, slots=True)
class Spending:
    """`store` is limits.store; None where this shell cannot resolve it, and `why_not` says why."""

    budgets: tuple[Budget, ...] = ()
    environment: str = "staging"
    store: Secret | None = field(default_factory=lambda: Secret(MEMORY), repr=False)
    why_not: str = ""

    @property
    def shared(self) -> bool:
        """Whether gateways share a store, so that no process alone knows what is spent."""
        return self.store is None or self.store.reveal() != MEMORY


class _Budgets(Section):
    budgets: Budgets = ()


class _Limits(Section):
    store: StoreUrl = literal(MEMORY)


class _Store(Section):
    limits: _Limits


def spending(path: Path | None, environ: Mapping[str, str]) -> Spending:
    """Without a file there are no budgets. Raises: ConfigError, for what stands in these fields."""
    if path is None:
        return Spending()
    try:
        found = document.parse(text_of(path))
    except document.Unreadable as error:
        problem = Problem(str(path), *error.place, dotted(()), error.message)
        raise ConfigError((problem,)) from error
    data = found.data if isinstance(found.data, Mapping) else {}
    setting = setting_of(data, environ, path.absolute().parent)
    said = {"budgets": _without_webhooks(data["budgets"])} if "budgets" in data else {}
    try:
        budgets = _Budgets.model_validate(said, context=setting).budgets
    except ValidationError as error:
        raise ConfigError(_problems(error, found, str(path))) from error
    limits = data.get("limits")
    named = {"store": limits["store"]} if isinstance(limits, Mapping) and "store" in limits else {}
    try:
        store = _Store.model_validate({"limits": named}, context=setting).limits.store.secret
    except ValidationError as error:
        why_not = str(_problems(error, found, str(path))[0])
        return Spending(budgets, setting.environment, None, why_not)
    return Spending(budgets, setting.environment, store)


def _without_webhooks(entries: object) -> object:
    if not isinstance(entries, tuple):
        return entries
    return tuple(
        {name: value for name, value in entry.items() if name != "webhook"}
        if isinstance(entry, Mapping)
        else entry
        for entry in entries
    )


def _problems(error: ValidationError, found: document.Document, file: str) -> tuple[Problem, ...]:
    return tuple(
        Problem(file, *found.place(loc, key=False), dotted(loc), message)
        for loc, message in faults(error)
    )
