"""What a rule is and what it finds: the words that rule files, engines and readers share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

type Action = Literal["block", "redact", "report"]
type Severity = Literal["high", "medium", "low"]
type Bounds = Literal["token", "none"]
type Alphabet = Literal["base62", "base64url", "base64", "hex", "none"]

ID: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
LONGEST_ID: Final = 64
# A longer match is none: the window around a hit stays small, whoever writes the text.
MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Exemption:
    """What a rule of a gitleaks file lets be: one of `regexes` or `stopwords`, or each kind of it.

    `target`: what the regexes look at, the secret, the whole match or its line.
    """

    regexes: tuple[str, ...] = ()
    stopwords: tuple[str, ...] = ()
    target: Literal["secret", "match", "line"] = "secret"
    every: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    `pattern`: RE2 syntax, read byte by byte; `group`: which group is the secret (None: the first
    that is not empty); `keywords`: lower case, a text without any of them is not looked at;
    `bounds` and `alphabet`: what may not stand directly before and after the secret;
    `max_bytes`: the longest match; `entropy`: bits a character at least; `validator`: a name of
    validators.VALIDATORS; `strong`: may be looked for in text that was taken apart; `action`: None
    leaves it to leaks.action; `matches`, `ignores`: templates of texts that it finds, or must not.
    """

    id: str
    title: str
    pattern: str
    group: int | None = 0
    keywords: tuple[str, ...] = ()
    bounds: Bounds = "token"
    alphabet: Alphabet = "base62"
    max_bytes: int = 512
    entropy: float | None = None
    validator: str | None = None
    strong: bool = False
    action: Action | None = None
    severity: Severity = "high"
    matches: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    source: str = ""
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One secret found in a text: `start` and `end` are byte offsets of the secret itself.

    `lowered`: at most `report` for this one (an expired token), and `note` says why.
    """

    rule: Rule
    start: int
    end: int
    note: str = ""
    lowered: bool = False


class RulesFault(ValueError):
    """The rules cannot be used; `problems` are all of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
