"""deploy/kubernetes fits together: selectors, ports and probes lead somewhere, secrets are files."""

import ipaddress
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from openai_gateway.config.load import load
from openai_gateway.telemetry import admin
from tests.deploy import tools

FOLDER = Path(__file__).parents[2] / "deploy/kubernetes"
Object = dict[str, Any]
KUSTOMIZATION: Object = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
FILES: list[str] = KUSTOMIZATION["resources"]
OBJECTS: list[Object] = [
    one for name in FILES for one in yaml.safe_load_all((FOLDER / name).read_text())
]
NAMED: dict[tuple[str, str], Object] = {(o["kind"], o["metadata"]["name"]): o for o in OBJECTS}
DEPLOYMENT = NAMED["Deployment", "openai-gateway"]["spec"]
POD: Object = DEPLOYMENT["template"]
CONTAINERS: list[Object] = [*POD["spec"]["initContainers"], *POD["spec"]["containers"]]
(GATEWAY,) = POD["spec"]["containers"]
CONFIG: str = NAMED["ConfigMap", "openai-gateway"]["data"]["gateway.yaml"]
SECRETS = "/etc/openai-gateway/secrets/"
over_containers = pytest.mark.parametrize("container", CONTAINERS, ids=lambda one: one["name"])


def ports(container: Object) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container.get("ports", ())}


def asked() -> set[str]:
    return set(re.findall(rf"file:{SECRETS}(\w+)", CONFIG))


def test_every_manifest_is_listed() -> None:
    there = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(FILES) == there
    assert len(NAMED) == len(OBJECTS)


def test_all_live_in_the_gateways_namespace_but_for_the_policy_of_staging() -> None:
    elsewhere = {o["metadata"]["name"] for o in OBJECTS if o["kind"] != "Namespace"
                 and o["metadata"]["namespace"] != "openai-gateway"}  # fmt: skip
    assert elsewhere == {"only-through-the-gateway"}


def test_every_selector_finds_the_pod() -> None:
    labels: dict[str, str] = POD["metadata"]["labels"]
    selectors = [
        DEPLOYMENT["selector"]["matchLabels"],
        NAMED["Service", "openai-gateway"]["spec"]["selector"],
        NAMED["PodMonitor", "openai-gateway"]["spec"]["selector"]["matchLabels"],
        NAMED["PodDisruptionBudget", "openai-gateway"]["spec"]["selector"]["matchLabels"],
        NAMED["NetworkPolicy", "openai-gateway"]["spec"]["podSelector"]["matchLabels"],
        gateway_rule()["to"][0]["podSelector"]["matchLabels"],
        *(one["labelSelector"]["matchLabels"] for one in POD["spec"]["topologySpreadConstraints"]),
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


@over_containers
def test_no_container_has_rights_and_none_writes_its_root(container: Object) -> None:
    assert POD["spec"]["securityContext"]["runAsNonRoot"]
    assert POD["spec"]["securityContext"]["runAsUser"] == 10001  # the image's own
    assert POD["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not POD["spec"]["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+(@sha256:\w+)?", container["image"])
    assert container["resources"]["limits"]["memory"]


@over_containers
def test_what_is_mounted_is_a_volume(container: Object) -> None:
    volumes = {volume["name"] for volume in POD["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert not any("subPath" in mount for mount in container["volumeMounts"])  # never follows


def test_probes_ask_for_paths_that_are_there() -> None:
    served = set(re.findall(r'"(/[a-z]+)"', Path(admin.__file__).read_text()))
    paths = {name: GATEWAY[name]["httpGet"] for name in
             ("startupProbe", "livenessProbe", "readinessProbe")}  # fmt: skip
    assert {name: get["path"] for name, get in paths.items()} == {
        "startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz",
    }  # fmt: skip
    for get in paths.values():
        assert get["path"] in served
        assert ports(GATEWAY)[get["port"]] == 9464


def test_service_and_monitor_name_ports_of_the_container() -> None:
    (service,) = NAMED["Service", "openai-gateway"]["spec"]["ports"]
    assert ports(GATEWAY)[service["targetPort"]] == service["port"] == 8080
    (endpoint,) = NAMED["PodMonitor", "openai-gateway"]["spec"]["podMetricsEndpoints"]
    assert ports(GATEWAY)[endpoint["port"]] == 9464
    assert endpoint["authorization"]["credentials"]["key"] in asked()


def test_secrets_are_files_and_no_literal_is_anywhere() -> None:
    for container in CONTAINERS:
        assert "env" not in container
        assert "envFrom" not in container
    for path in FOLDER.iterdir():
        text = path.read_text()
        assert not re.search(r"sk-[A-Za-z0-9]|:\w+@\w|kind: Secret", text), path
    script = (FOLDER / "secrets.sh").read_text()
    (names,) = re.findall(r"^for name in (.+); do$", script, re.MULTILINE)
    assert set(names.split()) == asked()


def test_the_gateway_accepts_the_configuration(tmp_path: Path) -> None:
    for name in asked():
        value = {"store_url": "redis://:FAKE@redis:6379/0",
                 "database_url": "postgresql+psycopg://u:FAKE@postgres/g"}.get(name, f"sk-FAKE-{name}")  # fmt: skip
        (tmp_path / name).write_text(value)
        (tmp_path / name).chmod(0o440)
    path = tmp_path / "gateway.yaml"
    path.write_text(CONFIG.replace(SECRETS, f"{tmp_path}/"))
    loaded = load(path, {})
    assert loaded.config.limits.instances == DEPLOYMENT["replicas"]
    assert loaded.config.metrics.listen.port == ports(GATEWAY)["metrics"]


def test_a_disruption_leaves_a_gateway_and_an_end_its_time() -> None:
    assert NAMED["PodDisruptionBudget", "openai-gateway"]["spec"]["minAvailable"] == 1
    assert DEPLOYMENT["replicas"] > 1
    assert DEPLOYMENT["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert POD["spec"]["terminationGracePeriodSeconds"] > 5 + 35  # preStop, then the drain


# ---- Who reaches what ---------------------------------------------------------------------------


def gateway_rule() -> Object:
    rules = NAMED["NetworkPolicy", "only-through-the-gateway"]["spec"]["egress"]
    (found,) = [rule for rule in rules if rule.get("ports") == [{"protocol": "TCP", "port": 8080}]]
    return dict(found)


def test_staging_reaches_no_address_outside() -> None:
    spec = NAMED["NetworkPolicy", "only-through-the-gateway"]["spec"]
    assert (spec["podSelector"], spec["policyTypes"]) == ({}, ["Egress"])
    for rule in spec["egress"]:
        assert rule["to"], "a rule without a destination is one to everywhere"
        assert not any("ipBlock" in peer for peer in rule["to"])
    to = gateway_rule()["to"][0]["namespaceSelector"]["matchLabels"]
    assert to == {"kubernetes.io/metadata.name": "openai-gateway"}


def test_only_the_gateway_reaches_443_outside_and_nothing_private() -> None:
    egress = NAMED["NetworkPolicy", "openai-gateway"]["spec"]["egress"]
    outside = [rule for rule in egress if any("ipBlock" in peer for peer in rule["to"])]
    assert [rule["ports"] for rule in outside] == [[{"protocol": "TCP", "port": 443}]]
    (peer,) = outside[0]["to"]
    closed = [ipaddress.ip_network(one) for one in peer["ipBlock"]["except"]]
    for address in ("10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1"):
        assert any(ipaddress.ip_address(address) in network for network in closed)
    rest = NAMED["NetworkPolicy", "nothing-else"]["spec"]
    assert rest == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


# ---- Its own tools ------------------------------------------------------------------------------


def test_kubeconform_finds_no_fault() -> None:
    paths = [str(FOLDER / name) for name in FILES]
    tools.passes("kubeconform", "-strict", "-ignore-missing-schemas", *paths)


@pytest.mark.parametrize("name", [name for name in FILES if name != "podmonitor.yaml"])
def test_kubernetes_validate_finds_no_fault(name: str) -> None:
    tools.passes("kubernetes-validate", "--strict", str(FOLDER / name))


def test_kustomize_builds_it() -> None:
    built = tools.passes("kustomize", "build", str(FOLDER))
    assert len(list(yaml.safe_load_all(built))) == len(OBJECTS)


STUB = """#!/bin/sh
printf '%s\\n' "$*"
"""


def test_the_secrets_are_made_of_files_and_no_value_is_an_argument(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin/kubectl"
    stub.write_text(STUB)
    stub.chmod(0o755)
    files, key = tmp_path / "files", tmp_path / "ca.pem"
    files.mkdir()

    def made() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own script
            ["/bin/sh", str(FOLDER / "secrets.sh"), str(files), str(key)],
            env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = made()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is missing or empty" in refused.stderr
    for name in asked():
        (files / name).write_text(f"FAKE-{name}")
    key.write_text("FAKE")
    told = made()
    assert told.returncode == 0, told.stderr
    assert "FAKE" not in told.stdout
    for name in asked():
        assert f"--from-file={name}={files}/{name}" in told.stdout
    assert f"openai-gateway-authority --from-file=mitmproxy-ca.pem={key}" in told.stdout
