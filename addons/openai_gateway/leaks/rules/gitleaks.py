"""A gitleaks TOML file as rules of ours. What cannot be one is named with the reason, never dropped
in silence; what gitleaks says about files and commits has no meaning for calls."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openai_gateway.api.price_file import MAX_BYTES, Fault
from openai_gateway.leaks.engine.compiled import BadPattern, compiled, expression, longest
from openai_gateway.leaks.rules.rule import LONGEST_ID, Exemption, Rule
from openai_gateway.leaks.rules.rule_file import RuleFileError

# Enough for the longest private key that is in use.
_ENDLESS: Final = 16_384
_TITLE: Final = 100
_PLACE: Final = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")
_UNTOLD: Final = {
    "filter": "has a `filter`, which is betterleaks' own language",
    "prefilter": "has a `prefilter`, which is betterleaks' own language",
    "required": "needs other rules beside it (`required`), which is not told here",
}
_ALLOWLISTS: Final = ("allowlist", "allowlists")


@dataclass(frozen=True, slots=True)
class GitleaksFile:
    """The rules that can be used, and for each that cannot a note with the reason."""

    rules: tuple[Rule, ...]
    notes: tuple[Fault, ...]


class _NoRule(ValueError):
    """This entry cannot be a rule; the message says why."""


def read(path: Path) -> GitleaksFile:
    """Raises: RuleFileError where the file as a whole cannot be used."""
    text = _text(path)
    data = _data(path, text)
    reader = _Reader(str(path), text, data)
    rules = tuple(reader.rules())
    if not rules:
        reasons = reader.notes or [reader.at(0, "", "holds no rule ([[rules]] with a regex)")]
        raise RuleFileError(reasons)
    return GitleaksFile(rules, (*reader.notes, *reader.unread()))


class _Reader:
    """Goes through one file's rules."""

    def __init__(self, file: str, text: str, data: Mapping[str, Any]) -> None:
        self.file = file
        self.text = text
        self.data = data
        self.notes: list[Fault] = []
        self.everywhere = self._shared()

    def rules(self) -> Iterator[Rule]:
        seen: set[str] = set()
        for number, entry in enumerate(_tables(self.data.get("rules"))):
            name = str(entry.get("id", ""))
            try:
                rule = self._rule(entry, name)
                if rule.id in seen:
                    raise _NoRule("has the id of an earlier rule")
                compiled(rule)
            except (_NoRule, BadPattern) as error:
                self.notes.append(self.at(number, name, f"is left out: it {error}"))
            else:
                seen.add(rule.id)
                yield rule

    def _rule(self, entry: Mapping[str, Any], name: str) -> Rule:
        untold = next((reason for field, reason in _UNTOLD.items() if entry.get(field)), None)
        if untold:
            raise _NoRule(untold)
        pattern = _text_of(entry, "regex")
        if not pattern:
            reason = "looks at paths alone, and a call has none" if entry.get("path") else None
            raise _NoRule(reason or "has neither a regex nor a path")
        own = [_exemption(one) for one in _allowlists(entry)]
        return Rule(
            id=_id(name),
            title=(_text_of(entry, "description") or name)[:_TITLE],
            pattern=pattern,
            group=_count(entry, "secretGroup") or None,
            keywords=tuple(word.lower() for word in _texts(entry, "keywords")),
            bounds="none",
            max_bytes=_most(pattern),
            entropy=float(_number(entry, "entropy")) or None,
            exemptions=tuple(one for one in (*own, *self._for(name)) if one),
            source=f"{Path(self.file).name}, {name}",
        )

    def _for(self, name: str) -> Iterator[Exemption]:
        """What the whole file lets be, as far as it is meant for this rule."""
        return (one for targets, one in self.everywhere if not targets or name in targets)

    def _shared(self) -> list[tuple[frozenset[str], Exemption]]:
        """Raises: RuleFileError, as a fault here is one of every rule."""
        found: list[tuple[frozenset[str], Exemption]] = []
        for entry in _allowlists(self.data):
            try:
                one = _exemption(entry)
                if one:
                    list(map(expression, one.regexes))
                    found.append((frozenset(_texts(entry, "targetRules")), one))
            except (_NoRule, BadPattern) as error:
                place = _place(self.text, r"^[ \t]*\[{1,2}allowlists?\]")
                raise RuleFileError(
                    [Fault(self.file, *place, "allowlist", f"cannot be used: it {error}")]
                ) from error
        return found

    def unread(self) -> Iterator[Fault]:
        """What the file asks for that is not done here."""
        if isinstance(self.data.get("extend"), Mapping):
            place = _place(self.text, r"^[ \t]*\[extend\]")
            message = "is not followed; list the other file in leaks.rules too"
            yield Fault(self.file, *place, "extend", message)

    def at(self, number: int, name: str, message: str) -> Fault:
        """A fault of a rule, at its id."""
        place = _place(self.text, rf"^[ \t]*id[ \t]*=[ \t]*[\"']+{re.escape(name)}[\"']")
        if place == (1, 1):
            place = _place(self.text, r"^[ \t]*\[\[[ \t]*rules[ \t]*\]\]", number)
        return Fault(self.file, *place, f"rules.{name or number}", message)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise RuleFileError([Fault(str(path), 1, 1, "(file)", "is larger than 4 MiB")])
        return data.decode()
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        raise RuleFileError([Fault(str(path), 1, 1, "(file)", message)]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fault = Fault(str(path), line, 1, "(file)", "is no UTF-8 text")
        raise RuleFileError([fault]) from error


def _data(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        found = _PLACE.search(said)
        line, column = (int(found[1]), int(found[2])) if found and found[1] else _end(text)
        message = f"is no TOML: {_PLACE.sub('', said).strip()}"
        raise RuleFileError([Fault(str(path), line, column, "(file)", message)]) from error
    except RecursionError as error:
        fault = Fault(str(path), 1, 1, "(file)", "is nested too deeply")
        raise RuleFileError([fault]) from error


def _end(text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def _place(text: str, pattern: str, number: int = 0) -> tuple[int, int]:
    """The line and column of a pattern's Nth place; the file's beginning where it has none."""
    for at, found in enumerate(re.finditer(pattern, text, re.MULTILINE)):
        if at == number:
            start = found.end() - len(found[0].lstrip())
            return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return 1, 1


def _exemption(entry: Mapping[str, Any]) -> Exemption | None:
    """None for what only speaks of paths and commits, or asks for one of them besides."""
    regexes, stopwords = _texts(entry, "regexes"), _texts(entry, "stopwords")
    every = str(entry.get("condition", "OR")).upper() in ("AND", "&&")
    if not (regexes or stopwords) or (every and (entry.get("paths") or entry.get("commits"))):
        return None
    words = tuple(word.lower() for word in stopwords)
    match str(entry.get("regexTarget", "")).lower():
        case "match":
            return Exemption(regexes, words, "match", every)
        case "line":
            return Exemption(regexes, words, "line", every)
        case "" | "secret":
            return Exemption(regexes, words, "secret", every)
    raise _NoRule("has an allowlist with an unknown regexTarget")


def _allowlists(entry: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [one for field in _ALLOWLISTS for one in _tables(entry.get(field))]


def _tables(value: Any) -> list[Mapping[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, Mapping)]


def _id(name: str) -> str:
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not found or len(found) > LONGEST_ID:
        raise _NoRule(f"needs an id of 1 to {LONGEST_ID} letters and digits")
    return found


def _most(pattern: str) -> int:
    expression(pattern)
    return longest(pattern) or _ENDLESS


def _text_of(entry: Mapping[str, Any], field: str) -> str:
    value = entry.get(field, "")
    if not isinstance(value, str):
        raise _NoRule(f"has a `{field}` that is no text")
    return value


def _texts(entry: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = entry.get(field, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _NoRule(f"has `{field}` that are no list of texts")
    return tuple(one for one in value if one)


def _number(entry: Mapping[str, Any], field: str) -> float:
    value = entry.get(field, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise _NoRule(f"has a `{field}` that is no number")
    return value


def _count(entry: Mapping[str, Any], field: str) -> int:
    value = _number(entry, field)
    if value != int(value):
        raise _NoRule(f"has a `{field}` that is no whole number")
    return int(value)
