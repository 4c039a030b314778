"""`ca create|show|bundle`: where the folder is, what is told, and that nothing secret is."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openai_gateway.cli.main import main
from openai_gateway.host.authority import ensure


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)
    return tmp_path


def ca(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["ca", *arguments])


def told(*arguments: str) -> dict[str, Any]:
    result = ca(*arguments, "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert isinstance(facts, dict)
    return facts


def test_create_makes_it_once_and_then_keeps_it(folder: Path) -> None:
    first, second = told("create"), told("create")
    assert first["state"] == "made"
    assert second["state"] == "was there already, and stays"
    assert first["sha256"] == second["sha256"] == ensure(folder / "certs", create=False).sha256


def test_show_tells_the_sha256_and_the_end(folder: Path) -> None:
    made = ensure(folder / "certs", create=True)
    result = ca("show")
    assert result.exit_code == 0
    assert made.sha256 in result.output
    assert f"{made.not_after:%Y-%m-%dT%H:%M:%SZ}" in result.output
    assert "PRIVATE" not in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_show_fails_and_writes_nothing_where_there_is_none(folder: Path) -> None:
    result = ca("show")
    assert result.exit_code == 1
    assert "openai-gateway ca create" in result.output
    assert list(folder.iterdir()) == []


def test_show_writes_nothing(folder: Path) -> None:
    made = ensure(folder / "certs", create=True)
    made.bundle_file.unlink()
    assert told("show")["sha256"] == made.sha256
    assert not made.bundle_file.exists()


def test_show_fails_on_a_key_that_others_may_read(folder: Path) -> None:
    ensure(folder / "certs", create=True).key_file.chmod(0o644)
    result = ca("show")
    assert result.exit_code == 1
    assert "chmod 600" in result.output


def test_bundle_is_written_anew(folder: Path) -> None:
    made = ensure(folder / "certs", create=True)
    made.bundle_file.write_bytes(made.public_file.read_bytes())
    assert told("bundle")["bundle_file"] == os.fspath(Path("certs") / "ca-bundle.pem")
    assert made.bundle_file.read_bytes().count(b"BEGIN CERTIFICATE") > 100


def test_bundle_without_an_authority_fails(folder: Path) -> None:
    assert ca("bundle").exit_code == 1
    assert list(folder.iterdir()) == []


def test_folder_is_beside_the_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is for a gateway that is started with the same configuration."""
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "gateway.yaml").write_text("keys: {}\n")
    told("create", "--config", "one/gateway.yaml")
    monkeypatch.setenv("OPENAI_GATEWAY_CONFIG", "two/gateway.yaml")
    told("create")
    assert sorted(path.parent.parent.name for path in folder.glob("*/*/mitmproxy-ca.pem")) == [
        "one",
        "two",
    ]
    assert not (folder / "certs").exists()


def test_a_named_folder_wins(folder: Path) -> None:
    told("create", "--certs", "elsewhere")
    assert (folder / "elsewhere" / "mitmproxy-ca.pem").exists()


def test_a_configuration_that_is_not_there_fails() -> None:
    result = ca("create", "--config", "missing.yaml")
    assert result.exit_code == 1
    assert "missing.yaml" in result.output


def test_no_subcommand_is_wrong_usage() -> None:
    assert ca().exit_code == 2
