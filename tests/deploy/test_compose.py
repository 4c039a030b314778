"""deploy/ fits together: what it mounts and copies is there, and no secret is in it."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from openai_gateway.config.load import load
from openai_gateway.config.store_url import parse
from tests.support.gateway_process import environment, fresh_keys

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
GATEWAYS = ("gateway-a", "gateway-b")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()

over_services = pytest.mark.parametrize("name", SERVICES)
over_gateways = pytest.mark.parametrize("name", GATEWAYS)


@over_services
def test_what_is_mounted_is_there(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).is_file(), source
        else:
            assert source in COMPOSE["volumes"], source
    assert set(SERVICES[name].get("networks", ())) <= COMPOSE["networks"].keys()
    assert set(SERVICES[name].get("secrets", ())) <= COMPOSE["secrets"].keys()


@over_services
def test_images_are_pinned_and_alive_is_looked_at(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z-]+:(local|\d+\.\d+(\.\d+)?-\w+)", service["image"])
    assert "healthcheck" in service or (name in GATEWAYS and "\nHEALTHCHECK " in DOCKERFILE)
    assert service["restart"] == "unless-stopped"


def test_only_proxies_are_published_and_metrics_on_loopback() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert ports.pop("gateway-a") == ["8080:8080", "127.0.0.1:9464:9464"]
    assert ports.pop("gateway-b") == ["8081:8080", "127.0.0.1:9465:9464"]
    assert not any(ports.values())
    for name in ports:  # and nothing else reaches them, nor they anything
        assert SERVICES[name]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"]


@over_gateways
def test_a_gateway_has_no_rights_and_writes_nowhere_but_its_authority(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    written = [mount for mount in service["volumes"] if not mount.endswith(":ro")]
    assert written == ["authority:/gateway/certs"]


def test_the_image_is_not_root_and_copies_what_is_there() -> None:
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert copied
    ignored = (ROOT / ".dockerignore").read_text().split()
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert source not in ignored
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"python:3.13.0-slim-bookworm"}


def test_git_and_the_image_leave_the_secrets_out() -> None:
    for name in (".gitignore", ".dockerignore"):
        lines = (ROOT / name).read_text().split()
        assert {"deploy/secrets", "deploy/secrets/"} & set(lines), name
    tracked = [
        path for path in DEPLOY.rglob("*") if path.is_file() and path.parent.name != "secrets"
    ]
    for path in tracked:
        assert not re.search(r"sk-[A-Za-z0-9]|password[=:] *\w|:\w+@", path.read_text()), path
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What secrets.sh makes of two keys, beside a gateway.yaml that reads it from there."""
    script = tmp_path / "secrets.sh"
    script.write_bytes((DEPLOY / "secrets.sh").read_bytes())
    given = {"PATH": os.environ["PATH"], **environment(fresh_keys())}
    for _ in "ab":  # the second time changes nothing
        subprocess.run(["sh", str(script)], env=given, check=True, capture_output=True)  # noqa: S603, S607
    text = (DEPLOY / "gateway.yaml").read_text()
    (tmp_path / "gateway.yaml").write_text(text.replace("/run/secrets", str(tmp_path / "secrets")))
    return tmp_path


def test_the_gateway_accepts_the_configuration_with_the_secrets_that_are_made(made: Path) -> None:
    assert {path.name for path in (made / "secrets").iterdir()} == COMPOSE["secrets"].keys()
    config = load(made / "gateway.yaml", {}).config
    assert config.limits.instances == len(GATEWAYS)
    assert str(config.metrics.listen.port) == "9464"


def test_the_secrets_fit_each_other_and_only_their_owner_reads_them(made: Path) -> None:
    told = {path.name: path.read_text().strip() for path in (made / "secrets").iterdir()}
    database = make_url(told["database_url"])
    assert (database.password, database.host) == (told["postgres_password"], "postgres")
    assert (database.username, database.database) == tuple(
        SERVICES["postgres"]["environment"][name] for name in ("POSTGRES_USER", "POSTGRES_DB")
    )
    assert parse(told["store_url"])
    password = re.fullmatch(r"redis://:(\w{48})@redis:6379/0", told["store_url"])
    assert password is not None
    assert told["redis_conf"].splitlines()[0] == f"requirepass {password[1]}"
    assert {path.stat().st_mode & 0o777 for path in (made / "secrets").iterdir()} == {0o600}


def test_a_missing_key_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((DEPLOY / "secrets.sh").read_bytes())
    ran = subprocess.run(  # noqa: S603
        ["sh", str(script)],  # noqa: S607
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode != 0
    assert "OPENAI_API_KEY_PRODUCTION" in ran.stderr
    assert not (tmp_path / "secrets").exists()
