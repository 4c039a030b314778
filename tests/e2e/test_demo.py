"""The demo tells the truth: it ends well with the gateway, badly without, and leaves nothing."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts.demo.steps import STORY
from scripts.demo.telling import Teller
from tests.support.gateway_process import ROOT
from tests.support.gateway_settings import clean_environment, fresh_keys

KEY = re.compile(r"sk-[A-Za-z0-9_-]{24,}")
WAIT_S = 60.0
PARTS = ("addons", "scripts", "rules", "tests/support")


@dataclass(frozen=True, slots=True)
class Clone:
    """A copy of what the demo needs, with a temporary folder of its own."""

    tree: Path
    temporary: Path

    @contextmanager
    def started(self, **env: str) -> Iterator["subprocess.Popen[str]"]:
        """A demo under way; it is ended where the test has not seen its end."""
        given = clean_environment() | {"TMPDIR": str(self.temporary)} | env
        process = subprocess.Popen(
            [sys.executable, "-B", "scripts/demo.py"],
            cwd=self.tree,
            env={**given, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(WAIT_S)

    def run(self, **env: str) -> tuple[int, str]:
        """Exit code and output of a whole demo."""
        with self.started(**env) as process:
            output, _ = process.communicate(timeout=WAIT_S)
            return process.returncode, output

    def files(self) -> set[Path]:
        return {path for path in self.tree.rglob("*") if path.is_file()}

    def processes(self) -> list[str]:
        """The command lines of running processes that come from this copy."""
        found = [_command(folder) for folder in Path("/proc").glob("[0-9]*")]
        return [command for command in found if str(self.tree) in command]


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    tree = tmp_path_factory.mktemp("clone")
    for part in PARTS:
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / part, tree / part, ignore=ignored)
    shutil.copy(ROOT / "tests" / "__init__.py", tree / "tests")
    return Clone(tree, tmp_path_factory.mktemp("temporary"))


@contextmanager
def leaves_nothing(clone: Clone) -> Iterator[None]:
    before = clone.files()
    yield
    assert clone.processes() == []
    assert list(clone.temporary.iterdir()) == []
    assert clone.files() == before


@pytest.fixture(scope="module")
def told(clone: Clone) -> str:
    """What a demo prints that went well."""
    with leaves_nothing(clone):
        code, output = clone.run()
    assert code == 0, output
    return output


def test_every_step_is_told_and_proven(told: str) -> None:
    for number, step in enumerate(STORY, 1):
        assert f"\n{number}. {step.title}\n" in told
    assert f"All {len(STORY)} steps did what they say" in told
    assert "✗" not in told


def test_no_key_stands_in_it_whole(told: str) -> None:
    assert KEY.findall(told) == []
    assert "sk-proj-…" in told


def test_it_is_plain_text_of_80_columns_where_it_is_piped(told: str) -> None:
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert "\x1b" not in told


def test_it_fails_where_the_gateway_does_nothing(clone: Clone) -> None:
    with leaves_nothing(clone):
        code, output = clone.run(DEMO_SCRIPT="tests/support/idle_gateway.py")
    assert code == 1
    ending = output[output.index("✗ OpenAI got the staging key") :]
    assert "\n2. " not in output
    assert re.search(r"expected +Bearer sk-proj-….{4} \(staging key\)", ending)
    assert re.search(r"happened +Bearer sk-proj-….{4} \(production key\)", ending)
    assert "The gateway's last lines:" in ending
    assert KEY.findall(output) == []


@pytest.mark.parametrize(
    ("does", "claim", "step"),
    [
        ("swap", "they came as OpenAI sent them, not all at the end", 2),
        ("swap stream", "nothing was sent to OpenAI", 3),
    ],
)
def test_it_fails_at_the_first_thing_that_is_not_done(
    clone: Clone, does: str, claim: str, step: int
) -> None:
    code, output = clone.run(DEMO_SCRIPT="tests/support/idle_gateway.py", IDLE_DOES=does)
    assert code == 1
    assert f"✗ {claim}" in output
    assert f"\n{step}. " in output
    assert f"\n{step + 1}. " not in output
    assert KEY.findall(output) == []


def test_it_fails_where_the_gateway_does_not_start(clone: Clone, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("raise RuntimeError('broken on purpose')\n")
    with leaves_nothing(clone):
        code, output = clone.run(DEMO_SCRIPT=str(script))
    assert code == 1
    assert "✗ the gateway starts" in output
    assert "broken on purpose" in output


def test_an_end_in_the_middle_leaves_nothing(clone: Clone) -> None:
    with leaves_nothing(clone), clone.started() as process:
        assert process.stdout is not None
        assert any(line.startswith("1. ") for line in process.stdout)
        process.terminate()
        process.communicate(timeout=WAIT_S)
        assert process.returncode == 128 + signal.SIGTERM


def exports(output: Iterator[str]) -> dict[str, str]:
    """The exports that a kept demo prints, a key's file read as a shell would."""
    found: dict[str, str] = {}
    for line in output:
        if match := re.fullmatch(r"\s+export (\w+)=(.*)\n", line):
            name, value = match.groups()
            if file := re.fullmatch(r"\$\(cat (.*)\)", value):
                value = Path(file.group(1)).read_text()
            found[name] = value
        if line.startswith("   log "):
            return found
    raise AssertionError(f"the demo ended; it had exported {sorted(found)}")


def test_keep_stays_up_for_other_programs_until_ctrl_c(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    with leaves_nothing(clone), clone.started(KEEP="1") as process:
        assert process.stdout is not None
        for name, value in exports(process.stdout).items():
            monkeypatch.setenv(name, value)
        headers = {"authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
        answer = httpx.get("https://api.openai.com/v1/models", headers=headers)
        assert answer.status_code == 200
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WAIT_S)
        assert process.returncode == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    Teller(terminal, fresh_keys()).proved("claim")
    assert ("\x1b[32m" in terminal.getvalue()) is coloured
    assert "✓ claim" in terminal.getvalue()


@pytest.mark.parametrize("length", range(20, 200, 7))
def test_keys_are_masked_before_lines_are_broken(length: int) -> None:
    keys, out = fresh_keys(), io.StringIO()
    Teller(out, keys).facts("sent", [f"{'x' * length} Bearer {keys.production} {keys.staging}"])
    shown = re.sub(r"\s", "", out.getvalue())
    assert keys.production[8:20] not in shown
    assert keys.staging[8:20] not in shown
    assert all(len(line) <= 80 for line in out.getvalue().splitlines())
