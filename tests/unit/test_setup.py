"""From a bare clone: the Python that is found, the environment, the lock, and the make targets."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
REAL: Final = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
TARGETS: Final = ("demo", "test", "lint", "test-all", "bench", "run")

GOOD: Final = f'exec "{REAL}" "$@"'
BROKEN_SHIM: Final = 'echo "pyenv: python: command not found" >&2; exit 127'
LIAR: Final = "echo /nowhere/python"
CHANGED: Final = f"""CHECK=$3 exec "{REAL}" -I -c "
import os, sys
sys.argv = ['-c', '']
{{change}}
exec(os.environ['CHECK'])
" """
TOO_OLD: Final = CHANGED.format(change="sys.version_info = (3, 11, 9)")
TOO_NEW: Final = CHANGED.format(change="sys.version_info = (3, 14, 0)")
WITHOUT_VENV: Final = CHANGED.format(change="sys.modules['ensurepip'] = None")
BAD: Final = [BROKEN_SHIM, LIAR, TOO_OLD, TOO_NEW, WITHOUT_VENV]
BAD_IDS: Final = ["broken shim", "liar", "too old", "too new", "no venv"]


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def shell(*command: str, cwd: Path, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 -- the project's own scripts
        command, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False, timeout=60
    )


@dataclass(slots=True)
class Machine:
    """A machine with exactly the Pythons that a test puts on it."""

    folder: Path

    def put(self, place: str, body: str) -> Path:
        return executable(self.folder / place, body)

    def find(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        paths = [self.folder / "bin", self.folder / "bin2"]
        given = {
            "PATH": os.pathsep.join(map(str, paths)),
            "HOME": str(self.folder),
            "PYENV_ROOT": str(self.folder / "pyenv"),
        }
        script = str(ROOT / "scripts" / "python.sh")
        return shell("/bin/sh", script, *arguments, cwd=self.folder, env=given | env)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    folder = tmp_path / "a machine"
    folder.mkdir()
    return Machine(folder)


@pytest.mark.parametrize("bad", BAD, ids=BAD_IDS)
def test_a_python_that_does_not_do_is_passed_over(machine: Machine, bad: str) -> None:
    machine.put("bin/python3.13", bad)
    machine.put("bin/python3.12", bad)
    machine.put("bin/python3", GOOD)
    assert machine.find().stdout == REAL + "\n"


@pytest.mark.parametrize("bad", BAD, ids=BAD_IDS)
def test_no_python_that_does_is_one_line_that_says_what_to_install(
    machine: Machine, bad: str
) -> None:
    for name in ("python3.13", "python3.12", "python3"):
        machine.put(f"bin/{name}", bad)
    found = machine.find()
    assert (found.returncode, found.stdout) == (1, "")
    assert len(found.stderr.splitlines()) == 1
    assert "install python3.13" in found.stderr


@pytest.mark.parametrize(
    "place", ["bin2/python3.13", "pyenv/versions/3.12.9/bin/python3.12", "elsewhere/python"]
)
def test_python_is_found_further_along_the_path_in_pyenv_and_by_uv(
    machine: Machine, place: str
) -> None:
    machine.put("bin/python3.13", BROKEN_SHIM)
    good = machine.put(place, GOOD)
    machine.put("bin/uv", f'[ "$1 $2" = "python find" ] && echo "{good}"')
    assert machine.find().stdout == REAL + "\n"


@pytest.mark.parametrize("name", ["mine", "PATH/mine"])
def test_a_named_python_wins(machine: Machine, name: str) -> None:
    log = machine.folder / "log"
    machine.put("bin/python3.13", f'echo other >> "{log}"; {GOOD}')
    mine = machine.put("bin/mine", f'echo mine >> "{log}"; {GOOD}')
    found = machine.find(PYTHON=name.replace("PATH", str(mine.parent)))
    assert found.stdout == REAL + "\n"
    assert log.read_text() == "mine\n"


def test_a_named_python_that_does_not_do_is_refused_by_name(machine: Machine) -> None:
    machine.put("bin/python3.13", GOOD)
    machine.put("bin/mine", TOO_OLD)
    found = machine.find(PYTHON="mine")
    assert (found.returncode, found.stdout) == (1, "")
    assert "PYTHON=mine is no Python 3.13 or 3.12" in found.stderr


def test_one_version_alone_can_be_asked_for(machine: Machine) -> None:
    version = "{}.{}".format(*sys.version_info[:2])
    other = "3.12" if version == "3.13" else "3.13"
    machine.put(f"bin/python{version}", BROKEN_SHIM)
    machine.put(f"pyenv/versions/{version}.9/bin/python{version}", GOOD)
    for found in (machine.find(version), machine.find(PYTHON=f"python{version}")):
        assert found.stdout == REAL + "\n"
    for found in (machine.find(other), machine.find(PYTHON=other)):
        assert found.returncode == 1
        assert f"no Python {other} found" in found.stderr


# ---- the environment ----------------------------------------------------------------------------

PIP: Final = """
import os, pathlib, sys
log = pathlib.Path(os.environ["PIP_LOG"])
seen = log.read_text() if log.exists() else ""
cache = os.environ.get("PIP_NO_CACHE_DIR", "kept")
log.write_text(seen + " ".join(sys.argv[1:]) + f" cache={cache}\\n")
sys.exit(int(os.environ.get("PIP_EXIT", "0")))
"""
INSTALLED: Final = [
    "install -qq --require-hashes -r requirements.lock cache=1",
    "install -qq --no-deps --no-build-isolation -e . cache=1",
]


@dataclass(slots=True)
class Clone:
    """A bare clone in a path with a space and a quote; `pip` only writes down what it was asked."""

    folder: Path
    home: Path

    def env(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home / "home"),
            "PYTHON": REAL,
            "PYTHONPATH": str(self.home / "stubs"),
            "PIP_LOG": str(self.home / "pip.log"),
            **more,
        }

    def run(self, *command: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return shell(*command, cwd=self.folder, env=self.env(**env))

    def setup(self, **env: str) -> "subprocess.CompletedProcess[str]":
        return self.run("sh", "scripts/setup.sh", **env)

    def asked(self) -> list[str]:
        log = self.home / "pip.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


def bare_clone(home: Path) -> Clone:
    folder = home / "it's a clone"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    for name in ("Makefile", "pyproject.toml", "requirements.lock", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    stub = home / "stubs" / "pip"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("")
    (stub / "__main__.py").write_text(PIP)
    (home / "home").mkdir()
    return Clone(folder, home)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return bare_clone(tmp_path)


def test_environment_is_made_once_and_again_where_something_changed(clone: Clone) -> None:
    first = clone.setup()
    assert first.returncode == 0, first.stderr
    assert "about a minute" in first.stdout
    assert clone.asked() == INSTALLED
    assert (clone.setup().stdout, clone.asked()) == ("", [])

    with (clone.folder / "requirements.lock").open("a") as lock:
        lock.write("# another\n")
    leftover = clone.folder / ".venv" / "leftover"
    leftover.touch()
    path = f"{Path(REAL).parent}{os.pathsep}{os.environ['PATH']}"
    assert clone.setup(PYTHON="", PATH=path).returncode == 0
    assert clone.asked() == INSTALLED
    assert not leftover.exists()
    # pip asks a rustc, if there is one, for its version; rustup's then writes to the home.
    assert {path.name for path in (clone.home / "home").iterdir()} <= {".rustup"}


def test_a_change_of_pyproject_alone_keeps_the_packages(clone: Clone) -> None:
    clone.setup()
    clone.asked()
    with (clone.folder / "pyproject.toml").open("a") as project:
        project.write("# another\n")
    assert clone.setup().returncode == 0
    assert clone.asked() == INSTALLED[1:]
    assert (clone.setup().stdout, clone.asked()) == ("", [])


def test_an_interrupted_set_up_is_repaired(clone: Clone) -> None:
    assert clone.setup(PIP_EXIT="3").returncode != 0
    assert clone.asked() == INSTALLED[:1]
    assert clone.setup().returncode == 0
    assert clone.asked() == INSTALLED


def test_a_clone_that_was_moved_gets_a_new_environment(clone: Clone) -> None:
    """The scripts of an environment name its path."""
    clone.setup()
    clone.asked()
    clone.folder = clone.folder.rename(clone.home / "moved")
    assert clone.setup().returncode == 0
    assert clone.asked() == INSTALLED


@pytest.mark.parametrize("venv", ["/", ".", "tests", "../.venv", ".venv/..", ".venv-x/../tests"])
def test_an_environment_elsewhere_is_refused(clone: Clone, venv: str) -> None:
    """It would be removed when it is out of date."""
    done = clone.setup(VENV=venv)
    assert done.returncode == 1
    assert "name it .venv" in done.stderr
    assert clone.asked() == []


# ---- make ---------------------------------------------------------------------------------------

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
KEYS: Final = {
    name: f"sk-proj-{name.rpartition('_')[2]}" + "FAKE" * 10
    for name in ("OPENAI_API_KEY_PRODUCTION", "OPENAI_API_KEY_STAGING")
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with its environment, whose mitmdump only says how it was started."""
    clone = bare_clone(tmp_path_factory.mktemp("prepared"))
    assert clone.setup().returncode == 0
    bin_ = clone.folder / ".venv" / "bin"
    command = "from openai_gateway.cli.main import main; main()"
    run = f'"{sys.executable}" -c "{command}" "$@"'
    executable(bin_ / "openai-gateway", f'PYTHONPATH="{ROOT / "addons"}" exec {run}')
    executable(bin_ / "mitmdump", 'echo "started: $*"')
    return clone


@pytest.fixture
def prepared(environment: Clone) -> Iterator[Clone]:
    """The clone above; what a test leaves in it is taken away."""
    before = set(environment.folder.iterdir())
    yield environment
    for path in set(environment.folder.iterdir()) - before:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@needs_make
@pytest.mark.parametrize("target", TARGETS)
def test_target_exists_and_sets_up_first(clone: Clone, target: str) -> None:
    done = clone.run("make", "--dry-run", target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "sh scripts/setup.sh"
    assert len(done.stdout.splitlines()) > 1


@needs_make
def test_make_alone_lists_the_targets(clone: Clone) -> None:
    listed = clone.run("make").stdout
    assert all(f"make {target} " in listed for target in TARGETS)
    assert max(map(len, listed.splitlines())) <= 80


@needs_make
@pytest.mark.parametrize("missing", [set(KEYS), *({name} for name in KEYS)])
def test_run_says_which_keys_are_missing_and_fails(prepared: Clone, missing: set[str]) -> None:
    given = {name: value for name, value in KEYS.items() if name not in missing}
    done = prepared.run("make", "run", **given)
    assert done.returncode != 0
    told = {name for name in KEYS if f"{name}: is not set" in done.stdout + done.stderr}
    assert told == missing
    assert "export OPENAI_API_KEY_STAGING=…" in done.stderr
    assert "started" not in done.stdout


@needs_make
def test_run_prints_the_exports_and_starts_the_gateway(prepared: Clone) -> None:
    done = prepared.run("make", "run", **KEYS)
    assert done.returncode == 0, done.stderr
    listen = "--listen-host 127.0.0.1 --listen-port 8080"
    assert done.stdout.endswith(f"started: -s addons/gateway.py {listen}\n")
    assert not any(value in done.stdout + done.stderr for value in KEYS.values())
    exports = "\n".join(re.findall(r"^ +(export .*)$", done.stdout, re.MULTILINE))
    names = ["HTTPS_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
    names.append("NODE_EXTRA_CA_CERTS")
    shown = prepared.run("sh", "-c", exports + "".join(f'\necho "${name}"' for name in names))
    bundle = str(prepared.folder / "certs" / "ca-bundle.pem")
    public = str(prepared.folder / "certs" / "gateway-ca.pem")
    assert shown.stdout.splitlines() == ["http://127.0.0.1:8080", *[bundle] * 3, public]


@needs_make
def test_run_takes_the_keys_from_dot_env(prepared: Clone) -> None:
    lines = [f"{name}={value}\n" for name, value in KEYS.items()]
    (prepared.folder / ".env").write_text("".join(lines))
    assert "started" in prepared.run("make", "run").stdout


@needs_make
def test_run_needs_no_variables_that_gateway_yaml_does_not_name(prepared: Clone) -> None:
    for name, value in KEYS.items():
        secret = prepared.folder / name.lower()
        secret.touch(stat.S_IRUSR | stat.S_IWUSR)
        secret.write_text(value)
    (prepared.folder / "gateway.yaml").write_text(
        "keys:\n  mappings:\n    - name: default\n"
        "      production: [file:openai_api_key_production]\n"
        "      staging: file:openai_api_key_staging\n"
    )
    assert "started" in prepared.run("make", "run").stdout


@needs_make
def test_run_tells_what_is_wrong_with_gateway_yaml_and_nothing_else(prepared: Clone) -> None:
    (prepared.folder / "gateway.yaml").write_text("keyz: {}\n")
    done = prepared.run("make", "run", **KEYS)
    assert done.returncode != 0
    assert "gateway.yaml:1:1: keyz" in done.stdout + done.stderr
    assert "export" not in done.stdout + done.stderr


def test_env_example_changes_nothing_as_it_is(tmp_path: Path) -> None:
    """Copied and not filled in, it must not blank out keys that the environment has."""
    script = f'. "{ROOT}/.env.example"; echo "$OPENAI_API_KEY_STAGING"'
    done = shell("sh", "-c", script, cwd=tmp_path, env={"OPENAI_API_KEY_STAGING": "kept"})
    assert done.stdout == "kept\n"
    assert all(name in (ROOT / ".env.example").read_text() for name in KEYS)


# ---- what CI runs -------------------------------------------------------------------------------


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "git"))), reason="needs bash and git")
@pytest.mark.parametrize("fails", ["", "lint", "test", "demo", "dirt", "process"])
def test_ci_runs_all_three_and_fails_if_any_does(prepared: Clone, fails: str) -> None:
    executable(
        prepared.home / "bin" / "make",
        'echo "ran $*"; [ "$1" != "$FAILS" ] || exit 1\n'
        '[ "$FAILS" != dirt ] || [ "$1" != test ] || touch dirt\n'
        '[ "$FAILS" != process ] || [ "$1" != demo ] ||'
        ' "$PWD/.venv/bin/python" -c "import time; time.sleep(6)" >/dev/null 2>&1 &',
    )
    for name in ("redis-server", "prometheus"):  # there is nothing to install
        executable(prepared.home / "bin" / name, "exit 0")
    path = f"{prepared.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    prepared.run("git", "init", "--quiet")
    done = prepared.run("bash", ".ci/run", PATH=path, FAILS=fails)
    metrics = "test TESTS=tests/observability MARK=soak"
    assert all(f"ran {name}\n" in done.stdout for name in ("lint", "test", "demo", metrics))
    assert (done.returncode == 0) is (fails == ""), done.stdout
    told = {"": "all passed", "dirt": "FAILED: clean tree", "process": "FAILED: no process left"}
    assert told.get(fails, f"FAILED: {fails}") in done.stdout.splitlines()[-1]


# ---- the lock -----------------------------------------------------------------------------------

LOCK: Final = (ROOT / "requirements.lock").read_text()


def test_every_entry_of_the_lock_is_pinned_and_hashed() -> None:
    entries = re.split(r"^(?=[^\s#])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+( ; [^\\]+)? \\$", entry, re.MULTILINE), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]


def test_the_lock_names_no_place_to_install_from() -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|\s@\s", LOCK)


def test_the_lock_holds_everything_that_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in declared}
    assert names - set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.MULTILINE)) == set()


# ---- the layers ---------------------------------------------------------------------------------


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    code = "from importlinter.cli import lint_imports_command as run; run()"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "addons")}
    return shell(sys.executable, "-c", code, "--no-logo", "--no-cache", cwd=folder, env=env)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    shutil.copy(ROOT / ".importlinter", tmp_path)
    shutil.copytree(
        ROOT / "addons" / "openai_gateway",
        tmp_path / "addons" / "openai_gateway",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return tmp_path


def test_layers_hold(house: Path) -> None:
    done = lint_imports(house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("keys/planted.py", "import mitmproxy.http"),
        ("telemetry/planted.py", "from sqlalchemy import select"),
        ("keys/planted.py", "import openai_gateway.endpoints.stage"),
        ("accounting/planted.py", "import openai_gateway.keys.mapping"),
        ("config/planted.py", "import openai_gateway.api.errors"),
        ("api/planted.py", "import openai_gateway.chain"),
        ("core/planted.py", "import openai_gateway.api.errors"),
        ("core/planted.py", "import pydantic"),
        ("host/authority.py", "import openai_gateway.host.addon"),
        ("attic/__init__.py", "import openai_gateway.core.call"),
    ],
)
def test_an_import_that_breaks_the_layers_is_caught(house: Path, place: str, line: str) -> None:
    path = house / "addons" / "openai_gateway" / place
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(house)
    assert done.returncode == 1
    assert path.parent.name in done.stdout.partition("Broken contracts")[2]
