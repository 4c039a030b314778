"""What `scan` tells, as text, JSON or SARIF: where which rule found something, never the value."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import click

from openai_gateway.cli.reading import say
from openai_gateway.cli.sarif import sarif
from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.sources.source_files import Fate, Looked, Spotted

# More are counted, and not kept.
MOST: Final = 100_000
MOST_NAMED: Final = 20
WIDEST: Final = 100


@dataclass(slots=True)
class Outcome:
    """All that came of one scan. `unreadable`: paths, each with the reason."""

    rules: tuple[Rule, ...] = ()
    found: list[tuple[str, Spotted]] = field(default_factory=list)
    more: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    partly: list[str] = field(default_factory=list)
    size: int = 0
    notes: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, looked: Looked) -> None:
        room = MOST - len(self.found)
        self.found += [(looked.path, one) for one in looked.spotted[:room]]
        self.more += len(looked.spotted[room:])
        self.fates[looked.fate] += 1
        self.size += looked.size
        if looked.fate == "unreadable":
            self.unreadable.append((looked.path, looked.why))
        elif looked.fate == "partly":
            self.partly.append(looked.path)

    @property
    def read(self) -> int:
        """How many files were read."""
        return self.fates["read"] + self.fates["partly"]


def tell(outcome: Outcome, form: str, max_bytes: int) -> None:
    """The found ones on standard output, the rest on standard error."""
    by_id = {rule.id: rule for rule in outcome.rules}
    if form == "text":
        _tell_text(outcome.found)
    else:
        made = (
            as_json(outcome, by_id)
            if form == "json"
            else sarif(outcome.found, by_id, _notes(outcome))
        )
        click.echo(json.dumps(made, indent=2))
    for line in _notes(outcome):
        click.echo(f"scan: {line}", err=True)
    click.echo(f"scan: {_summary(outcome, max_bytes)}", err=True)


def _tell_text(found: Sequence[tuple[str, Spotted]]) -> None:
    """`FILE:LINE: rule-id`; on a terminal in columns and in colour."""
    where = [f"{printable(path)}:{one.line}:" for path, one in found]
    is_terminal = sys.stdout.isatty()
    in_colour = is_terminal and "NO_COLOR" not in os.environ
    width = min(max(map(len, where), default=0), WIDEST) if is_terminal else 0
    for place, (_, one) in zip(where, found, strict=True):
        rule = click.style(one.rule, fg="red", bold=True) if in_colour else one.rule
        say(f"{place.ljust(width)} {rule}")


def _notes(outcome: Outcome) -> list[str]:
    lines = [*outcome.notes]
    lines += [f"{printable(path)}: cannot be read ({why})" for path, why in outcome.unreadable]
    for path in outcome.partly[:MOST_NAMED]:
        lines.append(f"{printable(path)}: not all of it could be decoded within its bounds")
    if len(outcome.partly) > MOST_NAMED:
        lines.append(f"{len(outcome.partly) - MOST_NAMED} more files like that")
    return lines


def _summary(outcome: Outcome, max_bytes: int) -> str:
    found = len(outcome.found) + outcome.more
    files = len({path for path, _ in outcome.found})
    took = time.monotonic() - outcome.began
    parts = [
        f"{_many(found, 'secret')} in {_many(files, 'file')}" if found else "no secrets",
        f"{_many(outcome.read, 'file')} read ({outcome.size / 1e6:.1f} MB, {took:.1f} s)",
    ]
    skipped = {
        "binary without text": outcome.fates["binary"],
        f"above {max_bytes:,} bytes": outcome.fates["large"],
        "unreadable": len(outcome.unreadable),
    }
    parts += [f"{count:,} {what}" for what, count in skipped.items() if count]
    if outcome.more:
        parts.append(f"the first {MOST:,} are told")
    return "; ".join(parts)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def printable(path: str) -> str:
    """The path on one line, with nothing in it that moves a cursor or cannot be written."""
    if path.isprintable():
        return path
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in path
    )


def _made(outcome: Outcome, form: str, rules: Mapping[str, Rule]) -> dict[str, object]:
    if form == "sarif":
        return sarif(outcome.found, rules, _notes(outcome))
    return as_json(outcome, rules)


def as_json(outcome: Outcome, rules: Mapping[str, Rule]) -> dict[str, object]:
    """`sha256` is what leaks.allow takes as value_sha256."""
    found = [
        {
            "file": path,
            "line": one.line,
            "rule": one.rule,
            "title": rules[one.rule].title,
            "severity": "low" if one.lowered else rules[one.rule].severity,
            "inside": one.inside or None,
            "sha256": one.sha256,
        }
        for path, one in outcome.found
    ]
    files = {
        "read": outcome.read,
        "bytes": outcome.size,
        "binary": outcome.fates["binary"],
        "large": outcome.fates["large"],
        "partly": outcome.partly,
        "unreadable": [{"file": path, "reason": why} for path, why in outcome.unreadable],
    }
    return {"findings": found, "more": outcome.more, "files": files, "notes": outcome.notes}
