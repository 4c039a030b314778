"""How much may be decoded, unpacked and looked at for one call, so that no call can hold up others.

What is left out because of it is said by `over`, never hidden: `leaks.on_budget` decides then.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from openai_gateway.core.clock import Clock

# A base64 in a JSON in a base64; deeper is no honest text.
DEPTH: Final = 3
CALL: Final = 2 * 1024 * 1024
UNIT: Final = 256 * 1024
# Both grow with what they are for: each decoder at each level may take a text once.
PER_BYTE: Final = 4
# What is unpacked from files, and how much of one file at most.
FILES: Final = 32 * 1024 * 1024
MEMBER: Final = 4 * 1024 * 1024
MEMBERS: Final = 200
LIMIT_S: Final = 5.0
# One costs some microseconds, a long one a millisecond: so many are tried between two looks at the
# clock.
LOOKS: Final = 1_000
# On a slow and busy machine a megabyte takes a tenth of it.
PER_MIB_S: Final = 0.5


@dataclass(slots=True)
class Budget:
    """What one call may still cost; `over` once something was left out.

    Texts that stand in the clear are read as long as there is time. `bytes_left`: derived texts of
    the whole call; `candidates_left`: those of the present unit, so that one field cannot use up
    the others' share; `files_left`: bytes unpacked from files. `deadline` is on the clock's
    `monotonic`.
    `looked`: places at which a rule's pattern was tried; `late`: none is any more.
    """

    clock: Clock = field(repr=False)
    deadline: float
    bytes_left: int = CALL
    candidates_left: int = UNIT
    files_left: int = FILES
    over: bool = False
    looked: int = 0
    late: bool = False

    def unit(self, size: int) -> None:
        """Begins the next unit (one text with one place) of this size."""
        self.candidates_left = UNIT + PER_BYTE * size

    def take(self, size: int) -> bool:
        """Whether a derived text of this size may be read; it is paid for then."""
        if size > self.bytes_left or size > self.candidates_left or self.is_late():
            self.over = True
            return False
        self.bytes_left -= size
        self.candidates_left -= size
        return True

    def take_file(self, size: int) -> bool:
        """The same for what was unpacked from a file."""
        if size > self.files_left or self.is_late():
            self.over = True
            return False
        self.files_left -= size
        return True

    def end(self) -> None:
        """Nobody waits for it any longer: what is left is left out."""
        self.deadline = -math.inf

    def may_look(self) -> bool:
        """Whether one more place may be looked at. Asks the clock now and then; once it is late,
        no more is looked at in this call."""
        self.looked += 1
        if not self.late and self.looked % LOOKS == 0:
            self.late = self.is_late()
        return not self.late

    def is_late(self) -> bool:
        """Whether the time is up, which is remembered as `over`: ask before work that is left."""
        if self.clock.monotonic() < self.deadline:
            return False
        self.over = True
        return True


def budget_for(size: int, clock: Clock, limit_s: float = LIMIT_S) -> Budget:
    """The budget of a call of this size (head, and body without its content-coding)."""
    limit = limit_s + PER_MIB_S * size / (1024 * 1024)
    return Budget(clock, clock.monotonic() + limit, bytes_left=CALL + PER_BYTE * size)
