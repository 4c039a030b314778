"""Secret references: where a secret is read from, once, at load; never a literal in the file."""

import contextlib
import hashlib
import json
import os
import re
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from openai_gateway.core.secret import Secret

MAX_SECRET_BYTES: Final = 64 * 1024
EXEC_LIMIT_S: Final = 10.0
HOW: Final = 'a secret is given by reference: env:NAME, file:/path or exec:["argv", …]'

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHA256: Final = re.compile(r"sha256:([0-9a-fA-F]{64})")
_HEADER_SAFE: Final = re.compile(r"[\x21-\x7e]+")
_LOOSE: Final = 0o027
_NEVER_A_KEY: Final = {"sk-admin-": "an admin key", "sess-": "a session key"}


class Unresolved(Exception):
    """The reference gives no usable secret; the message says why and the fix, never the value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A secret and where it came from; `source` may be shown."""

    source: str
    secret: Secret = field(repr=False)

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """A key that is recognised by `digest`, the sha256 of its UTF-8 bytes.

    `secret` is None where the file gives only the fingerprint.
    """

    source: str
    digest: bytes = field(repr=False)
    secret: Secret | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.source


@dataclass(slots=True)
class Resolver:
    """Reads each reference once; remembers the files it read and what it had to say of them."""

    environ: Mapping[str, str] = field(default_factory=dict)
    root: Path = field(default_factory=Path)
    allow_exec: bool = False
    files: list[Path] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)
    _known: dict[str, Secret | str] = field(default_factory=dict, repr=False)

    def reference(self, text: object) -> Reference:
        """The secret that `text` refers to. Raises Unresolved."""
        source = _source(text)
        return Reference(source, self._resolve(source))

    def key(self, text: object) -> Reference:
        """A reference whose value may be used as an API key. Raises Unresolved."""
        found = self.reference(text)
        for prefix, kind in _NEVER_A_KEY.items():
            if found.secret.reveal().startswith(prefix):
                raise Unresolved(f"is {kind}, which never goes through; name a project key")
        return found

    def identity(self, text: object) -> KeyIdentity:
        """A key by value or by fingerprint. Raises Unresolved."""
        if isinstance(text, str) and text.startswith("sha256:"):
            return KeyIdentity(text, _digest(text))
        found = self.key(text)
        value = found.secret.reveal().encode()
        return KeyIdentity(found.source, hashlib.sha256(value).digest(), found.secret)

    def _resolve(self, source: str) -> Secret:
        if source not in self._known:
            try:
                self._known[source] = Secret(_checked(self._read(source), source))
            except Unresolved as error:
                self._known[source] = str(error)
        known = self._known[source]
        if isinstance(known, str):
            raise Unresolved(known)
        return known

    def _read(self, source: str) -> str:
        kind, rest = source.split(":", 1)
        readers: dict[str, Callable[[str], str]] = {
            "env": self._env, "file": self._file, "exec": self._exec,
        }  # fmt: skip
        return readers[kind](rest)

    def _env(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise Unresolved("does not name an environment variable; write env:NAME")
        if name not in self.environ:
            raise Unresolved(f"{name} is not set; export {name}=…, or name another reference")
        return self.environ[name]

    def _file(self, name: str) -> str:
        if not name:
            raise Unresolved("names no file; write file:/path")
        path = self.root / name
        self.files.append(path)
        try:
            about = path.stat()
            if not stat.S_ISREG(about.st_mode):
                raise Unresolved("is no plain file; name the file that holds the secret")
            with path.open("rb") as file:
                data = file.read(MAX_SECRET_BYTES + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "bad name"
            raise Unresolved(f"cannot be read ({why}); check the path and its owner") from error
        if about.st_mode & _LOOSE:
            mode = f"{stat.S_IMODE(about.st_mode):04o}"
            self.warnings["file:" + name] = (
                f"the file's mode is {mode}; others can use it: chmod 600"
            )
        return _text(data)

    def _exec(self, text: str) -> str:
        if not self.allow_exec:
            raise Unresolved("runs a command, which is off; set allow_exec: true to allow it")
        return _text(_output(_argv(text), self.environ, self.root))


def _source(text: object) -> str:
    if isinstance(text, Mapping) and list(text) == ["exec"]:  # exec:[…] inside a flow list
        return "exec:" + json.dumps(text["exec"])
    if isinstance(text, Mapping) and set(text) <= {"env", "file", "exec"}:
        raise Unresolved("is a mapping; write the reference without a space after the colon")
    if not isinstance(text, str) or text.split(":", 1)[0] not in ("env", "file", "exec"):
        raise Unresolved(f"is no reference; {HOW}")
    if ":" not in text:
        raise Unresolved(f"is no reference; {HOW}")
    return str(text)


def _digest(text: str) -> bytes:
    found = _SHA256.fullmatch(text)
    if not found:
        raise Unresolved("is no fingerprint; write sha256: and 64 hexadecimal digits")
    return bytes.fromhex(found[1])


def _checked(value: str, source: str) -> str:
    if not value:
        raise Unresolved(f"{source} is empty; give it the secret's value")
    if not _HEADER_SAFE.fullmatch(value):
        raise Unresolved("holds whitespace, control or non-ASCII characters; check the value")
    return value


def _text(data: bytes) -> str:
    if len(data) > MAX_SECRET_BYTES:
        raise Unresolved(f"is longer than {MAX_SECRET_BYTES} bytes; a secret is one short line")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Unresolved("is no UTF-8 text; check the value") from error


def _argv(text: str) -> list[str]:
    try:
        argv = json.loads(text)
    except ValueError:
        argv = None
    if not isinstance(argv, list) or not argv or not all(isinstance(a, str) for a in argv):
        raise Unresolved('is no command; write exec:["/path/to/command", "argument"]')
    return argv


def _output(argv: list[str], environ: Mapping[str, str], root: Path) -> bytes:
    """What the command prints, bounded in time and size; its errors are not shown."""
    process = _started(argv, environ, root)
    try:
        data, deadline = _drain(process, time.monotonic() + EXEC_LIMIT_S)
        code = process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise Unresolved(f"the command took longer than {EXEC_LIMIT_S:.0f} s") from error
    finally:
        _end(process)
    if code:
        raise Unresolved(f"the command failed (exit {code}); run it by hand to see why")
    if not data.strip():
        raise Unresolved("the command printed nothing; it must print the secret")
    return data


def _started(argv: list[str], environ: Mapping[str, str], root: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - allow_exec: true asks for exactly this
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=root, env=dict(environ), start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "bad argument"
        raise Unresolved(f"the command cannot be started ({why}); check its path") from error


def _drain(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, float]:
    pipe = process.stdout
    if pipe is None:
        return b"", deadline
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(data) <= MAX_SECRET_BYTES:
            if not selector.select(deadline - time.monotonic()):
                raise subprocess.TimeoutExpired(process.args, EXEC_LIMIT_S)
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                return data, deadline
            data += chunk
    raise Unresolved(f"printed more than {MAX_SECRET_BYTES} bytes; a secret is one short line")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and all it started; a child that holds the pipe must not outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()
