"""What git is asked: which files of a folder are not ignored, and what the next commit adds.

Always a list of arguments, a time limit, and none of what a repository's own settings could start.
Of what a user says, only a folder to stand in ever reaches git.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

LIMIT_S: Final = 120.0
# A repository's settings may name programs for these; nothing here needs them.
SETTINGS: Final = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# Where a hook was started these name its own repository, and not that of another folder.
OF_A_HOOK: Final = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"),
    *("GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"),
)
UNWANTED: Final = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS")
WANTED: Final = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
# Each asks for the same files in the same order, whatever the settings are.
STAGED: Final = (
    *("diff", "--cached", "--find-renames", "--no-relative", "--no-color", "--no-ext-diff"),
    *("--no-textconv", "--submodule=short", "--ignore-submodules=none"),
)
LINK: Final = "160000"
LONGEST_LINE: Final = 4096

type Ranges = tuple[tuple[int, int], ...]


class GitFailed(Exception):
    """git is not there, took too long, or said no; the message is for the user."""

    def __init__(self, message: str, code: int = 0) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Staged:
    """One staged file, `path` from the top of its repository. `oid`, `before`: git's names of its
    content now and before ("" for a new file). `added`: first and last lines; None: all."""

    path: str
    oid: str
    before: str = ""
    added: Ranges | None = None
    is_new_name: bool = True


def top(folder: str) -> str:
    """The top of the work tree in which the folder is. Raises: GitFailed."""
    said = _asked(("rev-parse", "--show-toplevel"), folder, in_hook=True)
    return os.fsdecode(said.removesuffix(b"\n"))


def files_of(folder: str) -> list[str]:
    """The files of a folder that git does not ignore, from there; a repository in it ends in `/`
    or is a folder. Raises: GitFailed."""
    said = _asked(("ls-files", "-co", "--exclude-standard", "-z", "--", "."), folder)
    return [os.fsdecode(name) for name in dict.fromkeys(said.split(b"\0")) if name]


def is_ignored(folder: str) -> bool:
    """Whether the folder as a whole is ignored. Raises: GitFailed."""
    try:
        _asked(("check-ignore", "-q", "--", "."), folder)
    except GitFailed as error:
        if error.code == 1:
            return False
        raise
    return True


def staged(folder: str) -> list[Staged]:
    """What the next commit adds to, in git's order. Raises: GitFailed."""
    entries = list(_entries(_asked((*STAGED, "--raw", "--no-abbrev", "-z", "--diff-filter=AT"),
                                   folder, in_hook=True)))  # fmt: skip
    found = [Staged(entry.path, entry.oid) for entry in entries if not entry.is_link]
    changed = list(_entries(_asked((*STAGED, "--raw", "--no-abbrev", "-z", "--diff-filter=CMR"),
                                   folder, in_hook=True)))  # fmt: skip
    patch = (*STAGED, "--patch", "--text", "-U0", "--inter-hunk-context=0", "--diff-filter=CMR")
    with _answer(patch, folder, in_hook=True) as file:
        added = list(_added(file))
    if len(added) != len(changed):
        raise GitFailed("git told of another number of files than before; was something staged?")
    for entry, ranges in zip(changed, added, strict=True):
        if not entry.is_link:
            found.append(Staged(entry.path, entry.oid, entry.before, ranges, entry.is_renamed))
    return found


def sizes(oids: Sequence[str], folder: str) -> dict[str, int]:
    """How large each content is; those that are not there are left out. Raises: GitFailed."""
    said = _asked(("cat-file", "--batch-check"), folder, "\n".join(oids).encode(), in_hook=True)
    lines = [line.split() for line in said.decode().splitlines()]
    return {line[0]: int(line[2]) for line in lines if len(line) == 3}


def contents(oids: Sequence[str], folder: str) -> dict[str, bytes]:
    """Each content; those that are not there are left out. Raises: GitFailed."""
    found: dict[str, bytes] = {}
    asked = "\n".join(oids).encode()
    with _answer(("cat-file", "--batch"), folder, asked, in_hook=True) as file:
        for _ in oids:
            head = file.readline().decode().split()
            if len(head) == 3:
                found[head[0]] = file.read(int(head[2]))
                file.read(1)
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of `--raw`."""

    path: str
    before: str
    oid: str
    is_link: bool
    is_renamed: bool


def _entries(said: bytes) -> Iterator[Entry]:
    """`:MODE MODE OID OID STATUS NUL PATH NUL`, with two paths of a renamed file."""
    fields = iter(said.split(b"\0"))
    for head in fields:
        if not head:
            return
        _, mode, before, oid, status = head.removeprefix(b":").decode().split()
        is_renamed = status[0] in "RC"
        path = next(fields)
        path = next(fields) if is_renamed else path
        yield Entry(os.fsdecode(path), before, oid, mode == LINK, is_renamed)


def _added(patch: IO[bytes]) -> Iterator[Ranges]:
    """Of each file of a patch without context the lines that are new. All lines of content begin
    with `+`, `-` or a backslash, so that none can be taken for a head."""
    ranges: list[tuple[int, int]] | None = None
    begins = True
    while piece := patch.readline(LONGEST_LINE):
        if begins and piece.startswith(b"diff --git "):
            if ranges is not None:
                yield tuple(ranges)
            ranges = []
        elif begins and piece.startswith(b"@@ ") and ranges is not None:
            ranges += _range(piece)
        begins = piece.endswith(b"\n")
    if ranges is not None:
        yield tuple(ranges)


def _range(head: bytes) -> Iterable[tuple[int, int]]:
    """`@@ -1,2 +3,4 @@` → 3 to 6; one line has no count, and of removed ones it is 0."""
    start, _, count = head.split()[2].removeprefix(b"+").partition(b",")
    first, size = int(start), int(count or b"1")
    return [(first, first + size - 1)] if size else []


def _asked(words: Sequence[str], folder: str, said: bytes = b"", *, in_hook: bool = False) -> bytes:
    with _answer(words, folder, said, in_hook=in_hook) as file:
        return file.read()


@contextmanager
def _answer(
    words: Sequence[str], folder: str, said: bytes = b"", *, in_hook: bool = False
) -> Iterator[IO[bytes]]:
    """What git answers, as a file: it may be large. Raises: GitFailed."""
    with tempfile.TemporaryFile() as file:
        try:
            done = subprocess.run(  # noqa: S603 -- words of ours alone
                ["git", *SETTINGS, *words],  # noqa: S607 -- the git that the user has
                input=said,
                stdout=file,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_environ(os.environ, in_hook=in_hook),
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GitFailed(f"git {words[0]} took longer than {LIMIT_S:.0f} s") from error
        except OSError as error:
            raise GitFailed(f"git cannot be started ({error.strerror})") from error
        if done.returncode:
            line = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise GitFailed(line or f"git {words[0]} failed", done.returncode)
        file.seek(0)
        yield file


def _environ(environ: Mapping[str, str], *, in_hook: bool) -> dict[str, str]:
    left_out = UNWANTED if in_hook else UNWANTED + OF_A_HOOK
    return {name: text for name, text in environ.items() if name not in left_out} | WANTED
