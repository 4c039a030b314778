"""When gateway.yaml, or a secret file that it names, is other than what was last read.

It only tells; the host asks every second at most, reads in a thread, and swaps or keeps.
"""

from collections.abc import Iterable
from pathlib import Path

type Stamp = tuple[str, int, int, int] | None


class Watch:
    """Looks at files by what their names lead to, so that swapped symlinks are seen too."""

    def __init__(self, path: Path, extra: Iterable[Path] = ()) -> None:
        self._paths = tuple(each.absolute() for each in (path, *extra))
        self._known = self._look()
        self._seen = self._known

    def changed(self) -> bool:
        """True once for each change, when two looks in a row agree: half-written files settle."""
        looked = self._look()
        settled, self._seen = looked == self._seen, looked
        if not settled or looked == self._known or looked[0] is None:
            return False
        self._known = looked
        return True

    def extend(self, extra: Iterable[Path]) -> None:
        """Watches these files beside the configuration from now on, in place of the former."""
        before = dict(zip(self._paths, self._known, strict=True))
        self._paths = (self._paths[0], *(each.absolute() for each in extra))
        now = self._look()
        self._known = tuple(
            before.get(path, stamp) for path, stamp in zip(self._paths, now, strict=True)
        )
        self._seen = now

    def _look(self) -> tuple[Stamp, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> Stamp:
    """None while the file is away, as between the two steps of a careless editor."""
    try:
        real = path.resolve()
        about = real.stat()
    except (OSError, RuntimeError):
        return None
    return (str(real), about.st_ino, about.st_mtime_ns, about.st_size)
