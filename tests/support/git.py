"""A git repository for a test, whatever the machine's own settings of git are."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SETTINGS: Final = (
    *("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false"),
    *("-c", "init.defaultBranch=main", "-c", "advice.addEmbeddedRepo=false"),
)


@dataclass(frozen=True, slots=True)
class Git:
    """A repository in this folder, made if it is not there."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ".git").exists():
            self("init", "--quiet")

    def __call__(self, *words: str) -> bytes:
        """What git answers to these words."""
        environ = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(  # noqa: S603 -- words of a test
            ["git", *SETTINGS, *words],  # noqa: S607 -- the machine's git
            cwd=self.folder,
            env=environ,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def write(self, name: str, text: str) -> None:
        """A file in the work tree."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")

    def commit(self) -> None:
        """All that is staged."""
        self("commit", "--quiet", "--message", "x")
