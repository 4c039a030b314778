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
from tests.deploy import tools
from tests.support.gateway_process import environment, fresh_keys

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
GATEWAYS = ("gateway-a", "gateway-b")
ALERTS = DEPLOY / "alertmanager/alertmanager.yml"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()

over_services = pytest.mark.parametrize("name", SERVICES)
over_gateways = pytest.mark.parametrize("name", GATEWAYS)


@over_services
def test_what_is_mounted_is_there(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in COMPOSE["volumes"], source
    assert set(SERVICES[name].get("networks", ())) <= COMPOSE["networks"].keys()
    assert set(SERVICES[name].get("secrets", ())) <= COMPOSE["secrets"].keys()


@over_services
def test_images_are_pinned_and_alive_is_looked_at(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/-]+:(local|v?\d+\.\d+(\.\d+)?(-\w+)?)", service["image"])
    assert name in GATEWAYS or f"{service['image']} # @sha256:" in TEXT
    assert "healthcheck" in service or (name in GATEWAYS and "\nHEALTHCHECK " in DOCKERFILE)
    assert service["restart"] == "unless-stopped"


def test_everything_is_published_on_loopback() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    bind = "${GATEWAY_BIND:-127.0.0.1}"
    assert ports == {
        "gateway-a": [f"{bind}:8080:8080", "127.0.0.1:9464:9464"],
        "gateway-b": [f"{bind}:8081:8080", "127.0.0.1:9465:9464"],
        "redis": [],
        "postgres": [],
        "prometheus": ["127.0.0.1:9090:9090"],
        "alertmanager": ["127.0.0.1:9093:9093"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_only_gateways_and_alerts_have_a_way_out_and_only_gateways_reach_the_stores() -> None:
    networks = COMPOSE["networks"]
    ways_out = {name for name, about in networks.items() if not about.get("internal")} - {
        "published"
    }
    no_nat = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    assert networks["published"]["driver_opts"] == no_nat
    on = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert {n for n, has in on.items() if has & ways_out} == {*GATEWAYS, "alertmanager"}
    assert {n for n, has in on.items() if "inside" in has} == {*GATEWAYS, "redis", "postgres"}


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "grafana"])
def test_what_watches_has_no_rights_and_writes_its_volume_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    written = [mount.split(":")[0] for mount in service["volumes"] if not mount.endswith(":ro")]
    assert written == [name]


def mounted(name: str, inside: str) -> Path:
    """The file of deploy/ that a service finds under a path."""
    for mount in SERVICES[name]["volumes"]:
        source, target, *_ = mount.split(":")
        if source.startswith(".") and Path(inside).is_relative_to(target):
            return DEPLOY / source / Path(inside).relative_to(target)
    raise AssertionError(f"{name} mounts nothing at {inside}")


def option(name: str, of: str) -> str:
    (found,) = [word for word in SERVICES[name]["command"] if word.startswith(f"--{of}=")]
    return str(found.split("=", 1)[1])


def test_prometheus_reads_both_gateways_with_their_token_and_the_rules() -> None:
    file = mounted("prometheus", option("prometheus", "config.file"))
    config = yaml.safe_load(file.read_text())
    (job,) = config["scrape_configs"]
    (targets,) = job["static_configs"]
    assert targets["targets"] == [f"{name}:9464" for name in GATEWAYS]
    assert job["job_name"] == "openai-gateway"
    secret = job["authorization"]["credentials_file"].removeprefix("/run/secrets/")
    assert SERVICES["prometheus"]["secrets"] == [secret]
    assert all((file.parent / rules).is_file() for rules in config["rule_files"])
    (alerts,) = config["alerting"]["alertmanagers"][0]["static_configs"]
    assert alerts["targets"] == ["alertmanager:9093"]


def test_every_alert_has_somebody_who_is_told() -> None:
    config = yaml.safe_load(ALERTS.read_text())
    assert mounted("alertmanager", option("alertmanager", "config.file")) == ALERTS
    receivers = {one["name"]: one["webhook_configs"] for one in config["receivers"]}
    routed = {config["route"]["receiver"], *(r["receiver"] for r in config["route"]["routes"])}
    assert routed == receivers.keys()
    for (hook,) in receivers.values():
        secret = hook["url_file"].removeprefix("/run/secrets/")
        assert SERVICES["alertmanager"]["secrets"] == [secret]
    assert config["route"]["routes"][0]["matchers"] == ['severity = "page"']


def test_grafana_is_provisioned_and_asks_that_prometheus() -> None:
    (source,) = yaml.safe_load(
        mounted("grafana", "/etc/grafana/provisioning/datasources/openai-gateway.yaml").read_text()
    )["datasources"]
    assert source["url"] == "http://prometheus:9090"
    boards = mounted("grafana", "/etc/grafana/provisioning/dashboards/openai-gateway.yaml")
    (provider,) = yaml.safe_load(boards.read_text())["providers"]
    assert list(mounted("grafana", provider["options"]["path"]).glob("*.json"))
    given = SERVICES["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"]
    assert SERVICES["grafana"]["secrets"] == [given.removeprefix("/run/secrets/")]


def test_docker_accepts_it(made: Path) -> None:
    if tools.run("docker", "compose", "version").returncode:
        pytest.skip("no docker compose here")
    del made
    tools.passes("docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet")


def test_it_is_as_the_compose_specification_wants_it() -> None:
    tools.passes(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")
    )


def test_hadolint_finds_no_fault() -> None:
    tools.passes("hadolint", str(DEPLOY / "Dockerfile"))


def test_amtool_accepts_whom_to_tell(tmp_path: Path) -> None:
    told = tools.run("amtool", "--version").stdout
    found = re.search(r"version (\d+)\.(\d+)", told)
    assert found is not None, told
    text = ALERTS.read_text()
    if (int(found[1]), int(found[2])) < (0, 26):  # knows no url_file; all else can be judged
        text = re.sub(r"url_file: .+", "url: http://127.0.0.1:9/", text)
    (tmp_path / "alertmanager.yml").write_text(text)
    tools.passes("amtool", "check-config", str(tmp_path / "alertmanager.yml"))


def test_promtool_accepts_what_prometheus_reads(tmp_path: Path) -> None:
    config = (DEPLOY / "prometheus/compose.yml").read_text()
    token = tmp_path / "token"
    token.write_text("FAKE")
    text = config.replace("/run/secrets/prometheus_metrics_token", str(token))
    text = text.replace("[rules/", f"[{DEPLOY}/prometheus/rules/")
    text = text.replace(" rules/alerts", f" {DEPLOY}/prometheus/rules/alerts")
    (tmp_path / "prometheus.yml").write_text(text)
    tools.passes("promtool", "check", "config", str(tmp_path / "prometheus.yml"))


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
        assert not re.search(r"sk-[A-Za-z0-9]|password[=:] *\w|://\w*:\w+@", path.read_text()), path
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
    assert told["prometheus_metrics_token"] == told["metrics_token"]
    assert re.fullmatch(r"\w{48}", told["grafana_admin_password"])
    assert told["alertmanager_webhook"].startswith("http://127.0.0.1:9/")
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


def test_what_was_cut_off_between_redis_and_its_url_is_made_whole_the_next_time(
    tmp_path: Path,
) -> None:
    script, secrets = tmp_path / "secrets.sh", tmp_path / "secrets"
    script.write_bytes((DEPLOY / "secrets.sh").read_bytes())
    given = {"PATH": os.environ["PATH"], **environment(fresh_keys())}
    # as `docker compose up` leaves it where the file was missing
    (secrets / "redis_conf").mkdir(parents=True)
    command = ["sh", str(script)]
    cut = subprocess.run(command, env=given, check=False, capture_output=True)  # noqa: S603
    assert cut.returncode != 0
    (secrets / "redis_conf").rmdir()
    subprocess.run(command, env=given, check=True, capture_output=True)  # noqa: S603
    password = parse((secrets / "store_url").read_text().strip()).login.password
    assert password is not None
    first = (secrets / "redis_conf").read_text().splitlines()[0]
    assert first == f"requirepass {password.reveal()}"
