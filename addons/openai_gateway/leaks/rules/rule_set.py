"""The rules of all files that leaks.rules names, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openai_gateway.api.price_file import Fault
from openai_gateway.leaks.rules import gitleaks, rule_file
from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.rules.rule_file import RuleFileError


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`notes` name what a gitleaks file holds and cannot be used, with the reason; `files` tell
    by id where a rule comes from."""

    rules: tuple[Rule, ...]
    notes: tuple[Fault, ...]
    files: Mapping[str, Path]


def load(paths: Sequence[Path]) -> tuple[Rule, ...]:
    """As `read`, the rules alone. Raises: RuleFileError."""
    return read(paths).rules


def read(paths: Sequence[Path], times: int = 1) -> RuleSet:
    """Each file by its suffix; a rule of a later one takes the place of an earlier one of its id.
    Its own examples are tried in so many fillings.

    Raises: RuleFileError, with the faults of every file.
    """
    rules: dict[str, Rule] = {}
    files: dict[str, Path] = {}
    notes: list[Fault] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            found, left_out = _one_file(path, times)
        except RuleFileError as error:
            faults += error.faults
        else:
            rules |= {rule.id: rule for rule in found}
            files |= {rule.id: path for rule in found}
            notes += left_out
    if faults:
        raise RuleFileError(faults)
    return RuleSet(tuple(rules.values()), tuple(notes), files)


def _one_file(path: Path, times: int) -> tuple[Sequence[Rule], Sequence[Fault]]:
    """gitleaks' format if it ends in .toml, else our own. Raises: RuleFileError."""
    if path.suffix.lower() == ".toml":
        found = gitleaks.read(path)
        return found.rules, found.notes
    return rule_file.read(path, times), ()
