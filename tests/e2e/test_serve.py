"""`openai-gateway serve` is the same gateway; an installed wheel works in an empty folder."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clients import RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys, environment, settings
from tests.support.relay import RelayThread
from tests.support.served import Served

ROOT = Path(__file__).resolve().parents[2]


def swaps(process: GatewayProcess, keys: Keys, fake: FakeOpenAIThread) -> bool:
    with RawH1(process.way.tls()) as client:
        assert client.call("GET", "/v1/models", keys.production).status == 200
    return fake.wait()[0].values("authorization") == [f"Bearer {keys.staging}"]


def test_serve_swaps_as_mitmdump_does_and_ends_on_a_signal(
    fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    with Served(settings(relay.url, fake.ca_pem_path), environment(keys)) as process:
        assert swaps(process, keys, fake)
        assert process.stop() == 0


def test_serve_says_what_is_wrong_and_exits_with_one(
    fake: FakeOpenAIThread, relay: RelayThread
) -> None:
    config = settings(relay.url, fake.ca_pem_path)
    with Served(config, {}, wait=False) as process:
        assert process.wait_exit() == 1
        assert "OPENAI_API_KEY_PRODUCTION" in process.output()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project's wheel, unpacked: what pip would install."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(  # noqa: S603  # our own build
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(site)  # built a moment ago
    return site


def test_the_wheel_brings_its_rules_and_its_script(
    wheel: Path, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    assert (wheel / "openai_gateway/_rules/endpoints.yaml").is_file()
    config = settings(relay.url, fake.ca_pem_path)
    with Served(config, environment(keys), python_path=str(wheel)) as process:
        assert swaps(process, keys, fake)
        assert process.rows()[-1]["endpoint"] == "models.list"
