"""How references become secrets, and every way in which they may not."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from openai_gateway.config import secrets
from openai_gateway.config.secrets import Resolver, Unresolved

VALUE = "sk-proj-" + "FAKE" * 10


def fault(resolver: Resolver, text: object) -> str:
    with pytest.raises(Unresolved) as caught:
        resolver.reference(text)
    assert "FAKE" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_files_final_newline_is_dropped(end: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(VALUE + end, newline="")
    assert Resolver(root=tmp_path).reference("file:key").secret.reveal() == VALUE


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"sk-FAKE\nsk-FAKE\n", "whitespace"),
        (b" sk-FAKE", "whitespace"),
        (b"sk-FAKE\x00", "control"),
        (b"\xff\xfe", "no UTF-8"),
        (b"x" * 70_000, "longer than 65536 bytes"),
    ],
    ids=["empty", "newline", "two lines", "space", "nul", "binary", "long"],
)
def test_a_file_that_holds_no_one_line_secret_is_refused(
    data: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(data)
    assert words in fault(Resolver(root=tmp_path), "file:key")


def test_a_pipe_in_a_files_place_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    assert "no plain file" in fault(Resolver(root=tmp_path), "file:key")


@pytest.mark.parametrize("name", ["file:", "file:a\0b", "file:missing/key"])
def test_a_file_that_cannot_be_read_is_told(name: str, tmp_path: Path) -> None:
    assert "file" in fault(Resolver(root=tmp_path), name) + "file"
    assert Resolver(root=tmp_path).warnings == {}


@pytest.mark.parametrize(
    ("mode", "warned"),
    [(0o600, False), (0o400, False), (0o640, False), (0o644, True), (0o660, True), (0o604, True)],
)
def test_permissions_looser_than_0640_warn(mode: int, warned: bool, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(VALUE)
    (tmp_path / "key").chmod(mode)
    resolver = Resolver(root=tmp_path)
    resolver.reference("file:key")
    assert bool(resolver.warnings) is warned


def test_what_a_command_prints_is_the_secret() -> None:
    resolver = Resolver(allow_exec=True, environ={"PATH": os.environ["PATH"]})
    assert resolver.reference(f'exec:["echo", "{VALUE}"]').secret.reveal() == VALUE


def test_a_reference_is_read_once(tmp_path: Path) -> None:
    resolver = Resolver(allow_exec=True, root=tmp_path, environ={"PATH": os.environ["PATH"]})
    text = """exec:["sh", "-c", "echo x >> ran; echo secret"]"""
    assert resolver.reference(text).secret == resolver.reference(text).secret
    assert (tmp_path / "ran").read_text() == "x\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('exec:["true"]', "printed nothing"),
        ('exec:["false"]', "failed (exit 1)"),
        ('exec:["/nowhere/command"]', "cannot be started (No such file"),
        ('exec:["yes"]', "printed more than 65536 bytes"),
        ('exec:["echo", "a b"]', "whitespace"),
        ("exec:echo x", "is no command"),
        ("exec:[]", "is no command"),
        ("exec:[1]", "is no command"),
        ('exec:["a\\u0000"]', "cannot be started (bad argument)"),
    ],
)
def test_a_command_that_gives_no_secret_is_refused(text: str, words: str) -> None:
    resolver = Resolver(allow_exec=True, environ={"PATH": os.environ["PATH"]})
    assert words in fault(resolver, text)


def test_a_command_gets_no_longer_than_its_limit_and_leaves_no_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(secrets, "EXEC_LIMIT_S", 0.2)
    resolver = Resolver(allow_exec=True, root=tmp_path, environ={"PATH": os.environ["PATH"]})
    began = time.monotonic()
    text = 'exec:["sh", "-c", "sleep 60 & echo $! > child; wait"]'
    assert "took longer than" in fault(resolver, text)
    assert time.monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Whether the process is there and no zombie that waits for init."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.01)
    return True


def test_commands_do_not_run_unless_they_are_allowed(tmp_path: Path) -> None:
    assert "allow_exec" in fault(Resolver(root=tmp_path), 'exec:["touch", "ran"]')
    assert not (tmp_path / "ran").exists()


def test_a_fingerprint_identifies_a_key_that_is_never_held() -> None:
    digest = hashlib.sha256(VALUE.encode()).hexdigest()
    identity = Resolver().identity(f"sha256:{digest}")
    assert identity.digest.hex() == digest
    assert identity.secret is None


def test_a_key_by_value_has_the_same_identity_as_by_fingerprint() -> None:
    identity = Resolver({"K": VALUE}).identity("env:K")
    assert identity.digest == hashlib.sha256(VALUE.encode()).digest()
    assert identity.secret is not None
    assert VALUE not in repr(identity) + str(identity)


@pytest.mark.parametrize(
    "text", [None, 5, "", "x", "env", "ENV:X", ("a",), {"env": "X"}, "http://x"]
)
def test_what_is_no_reference_is_refused_without_showing_it(text: object) -> None:
    assert "reference" in fault(Resolver(), text)
