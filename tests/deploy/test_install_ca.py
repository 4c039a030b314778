"""scripts/install-ca.sh on made-up systems: their tools are stubs that write down how they were asked."""

import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

from openai_gateway.host import authority

SCRIPT = Path(__file__).parents[2] / "scripts/install-ca.sh"
DEBIAN, RHEL = "update-ca-certificates", "update-ca-trust"
FOLDERS = {
    DEBIAN: "usr/local/share/ca-certificates",
    RHEL: "etc/pki/ca-trust/source/anchors",
}
UPDATES = {DEBIAN: ("", "--fresh"), RHEL: ("extract", "extract")}
NEEDED = ("cat", "chmod", "cmp", "cp", "grep", "id", "mkdir", "mv", "openssl", "rm", "sh")
over_systems = pytest.mark.parametrize("tool", FOLDERS)


class System:
    """A root folder, and a PATH that holds what the script needs and one system's tool."""

    def __init__(self, folder: Path, tool: str | None) -> None:
        self.root, self.bin = folder / "root", folder / "bin"
        self.told = folder / "told"
        self.root.mkdir()
        self.bin.mkdir()
        for name in NEEDED:
            found = shutil.which(name)
            if found:
                (self.bin / name).symlink_to(found)
        if tool:
            self.write(tool, f'echo "$*" >>"{self.told}"')

    def write(self, name: str, text: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def run(self, *words: str, root: bool = True) -> "subprocess.CompletedProcess[str]":
        env = {"PATH": str(self.bin)} | ({"ROOT": str(self.root)} if root else {})
        return subprocess.run(  # noqa: S603 - our own script
            [str(self.bin / "sh"), str(SCRIPT), *words],
            env=env, capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip

    def installed(self) -> list[str]:
        return [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]

    def updates(self) -> list[str]:
        return self.told.read_text().splitlines() if self.told.exists() else []


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.ensure(tmp_path_factory.mktemp("certs") / "a", create=True).public_file


@over_systems
def test_it_is_installed_once_and_taken_away_again(tool: str, ca: Path, tmp_path: Path) -> None:
    system = System(tmp_path, tool)
    kept = f"{FOLDERS[tool]}/openai-gateway-ca.crt"
    for words in ("installed ", "installed already: "):
        done = system.run(str(ca))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(words)
        assert "export SSL_CERT_FILE=/etc/" in done.stdout
        assert system.installed() == [kept]
        assert (system.root / kept).read_bytes() == ca.read_bytes()
        assert (system.root / kept).stat().st_mode & 0o777 == 0o644
    for words in ("removed ", "not installed: "):
        done = system.run("--uninstall", str(ca))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(words)
        assert system.installed() == []
    add, take = UPDATES[tool]
    assert system.updates() == [add, add, take]


def test_a_new_one_replaces_the_old_and_only_the_one_that_is_there_is_removed(
    ca: Path, tmp_path: Path
) -> None:
    system = System(tmp_path, DEBIAN)
    other = authority.ensure(tmp_path / "other", create=True).public_file
    assert system.run(str(ca)).returncode == 0
    assert "replaces another" in system.run(str(other)).stdout
    refused = system.run("--uninstall", str(ca))
    assert (refused.returncode, "another certificate" in refused.stderr) == (1, True)
    (kept,) = system.installed()
    assert (system.root / kept).read_bytes() == other.read_bytes()


def test_what_is_no_ca_is_refused_and_nothing_is_changed(ca: Path, tmp_path: Path) -> None:
    system = System(tmp_path, DEBIAN)
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(trustme.CA().issue_cert("host.example").cert_chain_pems[0].bytes())
    texts = {"text": b"hello", "empty": b"", "broken": ca.read_bytes().replace(b"M", b"!", 3)}
    cases = {tmp_path / name: text for name, text in texts.items()}
    for path, text in cases.items():
        path.write_bytes(text)
    said = {
        tmp_path / "missing": "is no file that can be read",
        tmp_path: "is no file that can be read",
        tmp_path / "text": "is no certificate",
        tmp_path / "empty": "is no certificate",
        ca.with_name("mitmproxy-ca.pem"): "holds a private key",
        ca.with_name("ca-bundle.pem"): "not the bundle",
    }
    if shutil.which("openssl"):
        said |= {leaf: "but no CA's", tmp_path / "broken": "is broken"}
    for path, words in said.items():
        done = system.run(str(path))
        assert (done.returncode, words in done.stderr) == (1, True), (path, done.stderr)
    assert system.installed() == []
    assert system.updates() == []


@pytest.mark.parametrize("words", [(), ("a", "b"), ("--remove", "a"), ("--uninstall",)])
def test_wrong_usage_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    done = System(tmp_path, DEBIAN).run(*words)
    assert done.returncode == 2
    assert "usage: install-ca.sh [--uninstall] CA.pem" in done.stderr


def test_a_system_without_a_known_tool_is_refused(ca: Path, tmp_path: Path) -> None:
    system = System(tmp_path, None)
    done = system.run(str(ca))
    assert done.returncode == 1
    assert "update-ca-certificates" in done.stderr
    assert "update-ca-trust" in done.stderr
    assert system.installed() == []


def test_who_is_not_root_is_refused_before_anything_is_written(ca: Path, tmp_path: Path) -> None:
    system = System(tmp_path, DEBIAN)
    system.write("id", "echo 1000")
    for name in ("cp", "mkdir", "mv", "rm"):  # whatever the script does, this system stays
        system.write(name, f'echo {name} >>"{system.told}"')
    done = system.run(str(ca), root=False)
    assert done.returncode == 1
    assert "has to be root" in done.stderr
    assert system.updates() == []


@over_systems
def test_an_update_that_fails_is_told(tool: str, ca: Path, tmp_path: Path) -> None:
    system = System(tmp_path, tool)
    system.write(tool, "exit 1")
    done = system.run(str(ca))
    assert done.returncode == 1
    assert "update failed" in done.stderr
    system.write(tool, f'echo "$*" >>"{system.told}"')
    assert system.run(str(ca)).returncode == 0, "the next try mends it"
    assert system.updates() == [UPDATES[tool][0]]
