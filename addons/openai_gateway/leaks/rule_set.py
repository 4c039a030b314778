"""The rules of all files that leaks.rules names, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openai_gateway.api.price_file import Fault
from openai_gateway.leaks import gitleaks, rule_file
from openai_gateway.leaks.rule import Rule
from openai_gateway.leaks.rule_file import RuleFileError


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`notes` name what a gitleaks file holds and cannot be used, with the reason."""

    rules: tuple[Rule, ...]
    notes: tuple[Fault, ...]


def load(paths: Sequence[Path]) -> tuple[Rule, ...]:
    """As `read`, the rules alone. Raises: RuleFileError."""
    return read(paths).rules


def read(paths: Sequence[Path]) -> RuleSet:
    """Each file by its suffix; a rule of a later one takes the place of an earlier one of its id.

    Raises: RuleFileError, with the faults of every file.
    """
    rules: dict[str, Rule] = {}
    notes: list[Fault] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            found = one_file(path)
        except RuleFileError as error:
            faults += error.faults
        else:
            rules |= {rule.id: rule for rule in found.rules}
            notes += found.notes
    if faults:
        raise RuleFileError(faults)
    return RuleSet(tuple(rules.values()), tuple(notes))


def one_file(path: Path) -> RuleSet:
    """One file: gitleaks' format if it ends in .toml, else our own. Raises: RuleFileError."""
    if path.suffix.lower() == ".toml":
        found = gitleaks.read(path)
        return RuleSet(found.rules, found.notes)
    return RuleSet(rule_file.read(path), ())
