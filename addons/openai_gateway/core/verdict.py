"""What a stage says of a call. Whatever is no Verdict is a fault: the call is refused."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of our own in OpenAI's envelope; entries are made by api/errors.py only.

    `retry` becomes x-should-retry; `outcome` is the row's and the metric's; `reason` is a short
    closed word for metrics (`key_rejections_total{reason}`) and never text of a client. `public` is
    what `errors.detail: public` says of this very call; left out, the catalogue's words.
    """

    code: str
    status: int
    type: str
    message: str
    retry: bool
    outcome: str
    param: str | None = None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    public: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """The stage has no objection; `note` goes into the trace and never holds a client's text."""

    note: str = "pass"


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call ends here with this refusal."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """The stage answers in the upstream's place (a replay, a fault): no refusal of ours."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    outcome: str = "replayed"
    reason: str = ""  # for the trace; never text of a client


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is answered: the connection is closed after `after_s`, or `reset` at once."""

    after_s: float
    reset: bool = False
    outcome: str = "faulted"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A WebSocket message goes on, but in this form."""

    content: bytes = field(repr=False)


type Verdict = Pass | Refuse | Answer | Silence

PASS = Pass()
