"""Where a rule file lies: in the user's folder, else the one that the package ships."""

from pathlib import Path
from typing import Final

PRICES: Final = "rules/prices.yaml"
MODELS: Final = "rules/models.yaml"
_PACKAGE: Final = Path(__file__).parent.parent


def rule_file(root: Path, name: str) -> Path:
    """`rules/NAME.yaml` under `root`, or where it is not there the package's own."""
    own = root / name
    parts = Path(name).parts
    if own.exists() or len(parts) != 2 or parts[0] != "rules":
        return own
    shipped = (_PACKAGE / "_rules" / parts[1], _PACKAGE.parents[1] / "rules" / parts[1])
    return next((path for path in shipped if path.is_file()), own)


def price_files(root: Path, own: str | None) -> tuple[Path, Path | None]:
    """The list of a gateway that starts in `root`, and the team's own prices on top of it."""
    return rule_file(root, PRICES), root / own if own else None
