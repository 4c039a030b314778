"""The ways to fail that tests/support/faulty_gateway.py can plant, and the file that says which."""

from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("faulty_gateway.py")
STAGE_WAYS: Final = ("raise", "cancel", "exit", "hang", "nonsense", "twice")
HOOK_WAYS: Final = ("raise", "cancel", "exit")


class Planter:
    """Plants one fault at a time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clear()

    def plant(self, place: str, how: str) -> None:
        self.file.write_text(f"{place} {how}")

    def clear(self) -> None:
        self.file.write_text("")
