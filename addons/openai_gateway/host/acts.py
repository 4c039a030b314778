"""What the crew may ask to be done: the words between its decisions and the processes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """Start a process for worker `number`; it is called `member` from then on."""

    member: int
    number: int


@dataclass(frozen=True, slots=True)
class Retire:
    """Let it serve what it has, take nothing new, and end."""

    member: int


@dataclass(frozen=True, slots=True)
class End:
    """Let it drain as at a stop."""

    member: int


@dataclass(frozen=True, slots=True)
class Kill:
    """It has had its time."""

    member: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this in the log."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """No process is left: end with this exit code."""

    code: int


type Act = Start | Retire | End | Kill | Tell | Finish
