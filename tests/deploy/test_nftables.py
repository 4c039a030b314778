"""deploy/nftables: each ruleset loads whole, and closes what it should."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import tools

FOLDER = Path(__file__).parents[2] / "deploy/nftables"
FILES = sorted(FOLDER.glob("*.nft"))
over_files = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
TRIES = """
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.settimeout(0.3)
    try:
        made.connect((host, int(port)))
        print(target, "came up")
    except OSError as error:
        print(target, type(error).__name__)
"""


def text_of(path: Path) -> str:
    """With a user that is there, as a name is looked up when the file is read."""
    return path.read_text().replace("gateway_user = openai-gateway", "gateway_user = daemon")


@over_files
def test_it_closes_by_default_and_replaces_its_own_table_alone(path: Path) -> None:
    text = path.read_text()
    for hook in ("output", "forward"):
        assert f"type filter hook {hook} priority filter; policy drop;" in text
    assert "flush ruleset" not in text
    assert text.count("delete table inet staging_egress") == 2  # the act, and how to undo it
    assert not re.search(r"\{[^}]*\b0\.0\.0\.0/0", text)
    assert "policy accept" not in text


def test_only_the_gateways_user_leaves_to_443_where_both_share_a_host() -> None:
    text = (FOLDER / "gateway-host.nft").read_text()
    rules = re.findall(r"^ +(.*\b443\b.*)$", text, re.MULTILINE)
    assert rules == ["meta skuid $gateway_user tcp dport 443 accept"]
    assert not re.search(r"\b443\b", (FOLDER / "staging-host.nft").read_text())


def alone(*words: str) -> "subprocess.CompletedProcess[str]":
    """Runs it in a network of its own, so that this machine's stays as it is."""
    if shutil.which("nft") is None:
        pytest.skip("no nft here")
    if os.geteuid() != 0 or tools.run("unshare", "--net", "true").returncode:
        pytest.skip("no network namespace of one's own here")
    return tools.run("unshare", "--net", *words)


@over_files
def test_nft_accepts_it(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(text_of(path))
    done = alone("nft", "-c", "-f", str(copy))
    assert done.returncode == 0, done.stderr


SCRIPT = """
ip link set lo up && ip link add out type veth peer name far &&
    ip link set far up && ip address add 10.0.0.99/8 dev out &&
    ip link set out up && ip route add default dev out || exit 77
nft -f "$1" && nft -f "$1" || exit 1
shift
"$@"
"""


def tried(path: Path, tmp_path: Path, *targets: str, user: str = "") -> dict[str, str]:
    """What becomes of connections: nobody answers, so what may leave runs into its time limit."""
    copy = tmp_path / path.name
    copy.write_text(text_of(path))
    if shutil.which("ip") is None:
        pytest.skip("no ip here")
    switch = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
    python = "/usr/bin/python3" if user else sys.executable
    if user and not Path(python).exists():
        pytest.skip("no python3 that another user may run")
    done = alone("sh", "-c", SCRIPT, "sh", str(copy), *switch, python, "-c", TRIES, *targets)
    if done.returncode == 77:
        pytest.skip(f"no veth device here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


LEAVES = {"TimeoutError", "up"}


def test_a_staging_host_reaches_its_gateway_and_not_openai(tmp_path: Path) -> None:
    found = tried(
        FOLDER / "staging-host.nft", tmp_path,
        "10.0.0.10:8080", "10.1.2.3:5432", "10.0.0.2:53",
        "162.159.140.245:443", "162.159.140.245:8080", "10.0.0.10:443", "10.9.9.9:8080",
    )  # fmt: skip
    closed = {target for target, how in found.items() if how not in LEAVES}
    assert closed == {
        "162.159.140.245:443", "162.159.140.245:8080", "10.0.0.10:443", "10.9.9.9:8080",
    }  # fmt: skip


@pytest.mark.parametrize(("user", "leaves"), [("", False), ("daemon", True)])
def test_on_a_shared_host_only_the_gateways_user_reaches_openai(
    user: str, leaves: bool, tmp_path: Path
) -> None:
    found = tried(FOLDER / "gateway-host.nft", tmp_path, "162.159.140.245:443",
                  "162.159.140.245:80", user=user)  # fmt: skip
    assert (found["162.159.140.245:443"] in LEAVES) is leaves
    assert found["162.159.140.245:80"] not in LEAVES
