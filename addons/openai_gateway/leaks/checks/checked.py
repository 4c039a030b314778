"""What a validator says of a found text. A floor of its own, so that validators can share it."""

from collections.abc import Callable
from typing import Literal

# "lower": it is what the rule looks for, and may at most be reported.
type Checked = Literal["keep", "drop", "lower"]
type Validator = Callable[[bytes, bytes, int, int], Checked]


def kept(valid: bool) -> Checked:
    return "keep" if valid else "drop"
