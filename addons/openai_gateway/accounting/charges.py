"""What was charged and what is still to be charged, remembered beyond a restart.

A response that runs in the background may end, and be read for the first time, after the process
that began it is gone: without this its cost would never be booked.
"""

from collections.abc import Callable
from typing import Protocol

from openai_gateway.accounting.meter import MOST_IDS, Charged


class Keeper(Protocol):
    """Where ids are kept; neither method ever waits."""

    def put_charge(self, name: str, charged: bool) -> None:
        """Takes an id to be written."""
        ...

    def decides(self, name: str) -> bool:
        """Whether it can tell, later, which of several gateways is charged for this id."""
        ...

    def earlier_charges(self) -> dict[str, bool] | None:
        """What was there at the start; None as long as it could not be read."""
        ...


def _nobody(_name: str, _charged: bool) -> None:
    """A process on its own has nobody to tell."""


class DurableCharged(Charged):
    """Charged, whose notes are also kept by `keeper`, and which knows the keeper's earlier ones."""

    def __init__(self, keeper: Keeper, most: int = MOST_IDS) -> None:
        super().__init__(most)
        self._keeper = keeper
        self.tell: Callable[[str, bool], None] = _nobody
        self._read: dict[str, bool] | None = None

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._earlier().get(str(name)) is True

    def awaited(self, name: str) -> bool:
        """Whether this id's end was announced, by whichever process, and has not been seen."""
        if name in self:
            return False
        return super().awaited(name) or self._earlier().get(name) is False

    def note(self, name: str, charged: bool) -> None:
        """Remembers an id, has it written, and tells those who share, once a state; once charged it
        stays so."""
        charged = charged or name in self
        known = super().awaited(name) and not charged
        self.told(name, charged)
        if not known:  # whoever polls says the same again and again
            self._keeper.put_charge(name, charged)
            self.tell(name, charged)

    def claim(self, name: str) -> bool | None:
        """Other gateways read the same: the database decides, where it takes the id."""
        return None if self._keeper.decides(name) else super().claim(name)

    def told(self, name: str, charged: bool) -> None:
        """What was written already, here or by another process."""
        super().note(name, charged)
        self._earlier().pop(name, None)

    def _earlier(self) -> dict[str, bool]:
        """A database that is dead at the start is read when it comes back."""
        if self._read is None:
            self._read = self._keeper.earlier_charges()
        return {} if self._read is None else self._read
