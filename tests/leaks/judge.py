"""Counts what a scanner finds of the corpus and what it stops wrongly, and says whether it will do.

A secret is found where the request is blocked or redacted; one of a kind that is only to be
reported, where it is reported too. A harmless request is wronged where it is blocked or redacted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.leaks.case import Case, Group

type Verdict = Literal["blocked", "redacted", "reported", "clean"]
type Ask = Callable[[Case], Verdict]

STOPPED: Final = ("blocked", "redacted")
# Percent found at least; of harmless ones, percent stopped at most.
WANTED: Final[dict[Group, float]] = {
    "kinds": 98.0,
    "places": 98.0,
    "simple": 98.0,
    "split": 85.0,
    "files": 90.0,
    "benign": 1.0,
}
TITLES: Final[dict[Group, str]] = {
    "kinds": "kinds, in the clear",
    "places": "places",
    "simple": "simple encodings",
    "split": "split, odd encodings",
    "files": "files",
    "benign": "harmless, stopped",
}
MOST_MISSED: Final = 1 / 2
MOST_WRONGED: Final = 1 / 3


def fails(case: Case, verdict: Verdict) -> bool:
    """Whether the scanner was wrong: a secret missed, or a harmless request stopped."""
    if case.secret is None:
        return verdict in STOPPED
    if case.want == "report":
        return verdict == "clean"
    return verdict not in STOPPED


@dataclass(slots=True)
class Tally:
    """What became of one family's cases."""

    cases: int = 0
    failed: int = 0
    reported: int = 0

    def count(self, failed: bool, verdict: Verdict) -> None:
        self.cases += 1
        self.failed += failed
        self.reported += verdict == "reported"


@dataclass(slots=True)
class Judgement:
    """All tallies by group and family, and the cases in which the scanner was wrong."""

    families: dict[tuple[Group, str], Tally] = field(default_factory=dict)
    wrong: list[tuple[Case, Verdict]] = field(default_factory=list)

    def count(self, case: Case, verdict: Verdict) -> None:
        failed = fails(case, verdict)
        self.families.setdefault((case.group, case.family), Tally()).count(failed, verdict)
        if failed:
            self.wrong.append((case, verdict))

    def of(self, group: Group) -> Tally:
        """The group's own sum."""
        total = Tally()
        for (of, _), tally in self.families.items():
            if of == group:
                total.cases += tally.cases
                total.failed += tally.failed
                total.reported += tally.reported
        return total

    def size(self, group: Group) -> int:
        """How many families the group has."""
        return sum(of == group for of, _ in self.families)

    def rate(self, group: Group) -> float:
        """Percent found, or of harmless ones percent stopped."""
        tally = self.of(group)
        share = 100 * tally.failed / max(tally.cases, 1)
        return share if group == "benign" else 100 - share

    def holds(self, group: Group) -> bool:
        rate = self.rate(group)
        return rate <= WANTED[group] if group == "benign" else rate >= WANTED[group]

    def bad_families(self) -> list[str]:
        """Families of which more than half is missed, or more than a third stopped."""
        return [
            f"{group}/{family}: {tally.failed} of {tally.cases}"
            for (group, family), tally in self.families.items()
            if tally.failed > tally.cases * (MOST_WRONGED if group == "benign" else MOST_MISSED)
        ]


def judge(cases: Iterable[Case], ask: Ask) -> Judgement:
    made = Judgement()
    for case in cases:
        made.count(case, ask(case))
    return made


def rows(made: Judgement) -> list[tuple[str, str, str, str, str]]:
    """Group, families, cases, rate, wanted."""
    return [
        (
            TITLES[group],
            str(made.size(group)),
            str(made.of(group).cases),
            f"{made.rate(group):.1f} %",
            f"{'at most' if group == 'benign' else 'at least'} {wanted:g} %",
        )
        for group, wanted in WANTED.items()
        if made.size(group)
    ]


HEADS: Final = ("group", "families", "requests", "rate", "wanted")


def table(made: Judgement) -> str:
    """For a terminal of 80 columns, with the families that are not good enough."""
    lines = [f"{a:<22}{b:>10}{c:>10}{d:>10}{e:>16}" for a, b, c, d, e in [HEADS, *rows(made)]]
    reported = made.of("benign").reported
    lines.append(f"harmless requests that were reported and passed: {reported}")
    lines += [f"not good enough: {bad}" for bad in made.bad_families()]
    return "\n".join(lines)


def markdown(made: Judgement) -> str:
    """The table as docs/leaks.md shows it."""
    lines = [f"| {' | '.join(row)} |" for row in [HEADS, *rows(made)]]
    lines.insert(1, "|---|---|---|---|---|")
    return "\n".join(lines)


def mistakes(made: Judgement) -> str:
    """Every case in which the scanner was wrong: its id, its kind, what was said."""
    return "\n".join(
        f"{verdict:<9} {case.id}{f' ({case.kind})' if case.kind else ''}"
        for case, verdict in made.wrong
    )
