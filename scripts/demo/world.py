"""What the story plays on: the fake OpenAI, the real gateway before it, the application."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.demo.process import Application
from scripts.demo.step import Scene, Step
from scripts.demo.steps.bounds import SETTINGS as BOUNDS
from scripts.demo.steps.cheaper import SETTINGS as CHEAPER
from scripts.demo.steps.days import SETTINGS as DAYS
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import SCRIPT, GatewayProcess, environment, merged, settings
from tests.support.gateway_settings import Keys
from tests.support.relay import RelayThread, to_fake

OWN_RULES: Final = Path(__file__).with_name("rules.yaml")
OWN: Final = {
    "leaks": {"rules": ["rules/secrets.yaml", str(OWN_RULES)]},
    **BOUNDS,
    **CHEAPER,
    **DAYS,
}


@dataclass(frozen=True, slots=True)
class World:
    """Everything that runs while the story is told."""

    keys: Keys
    fake: FakeOpenAIThread
    relay: RelayThread
    gateway: GatewayProcess
    application: Application

    def play(self, step: Step) -> Scene:
        """Runs one step; what it saw."""
        before, dialled = len(self.fake.requests), len(self.relay.asked)
        step.prepare(self.fake)
        said, fault = self.application.run(step.code) if step.code else ([], "")
        return Scene(
            gateway=self.gateway,
            fake=self.fake,
            keys=self.keys,
            said=said,
            fault=fault,
            arrived=self.fake.requests[before:],
            dialled=self.relay.asked[dialled:],
        )


@contextmanager
def world(keys: Keys) -> Iterator[World]:
    """Starts it all in folders of the system's own, and takes it all away. Raises GatewayError."""
    script = Path(os.environ.get("DEMO_SCRIPT") or SCRIPT).resolve()
    with (
        FakeOpenAIThread(staging_keys={keys.staging}) as fake,
        RelayThread(to_fake(fake.port)) as relay,
        GatewayProcess(
            merged(settings(relay.url, fake.ca_pem_path), OWN), environment(keys), script=script
        ) as gateway,
        Application(three_variables(gateway, keys), gateway.folder) as application,
    ):
        yield World(keys, fake, relay, gateway, application)


def three_variables(gateway: GatewayProcess, keys: Keys) -> dict[str, str]:
    """The application's whole environment: all that a host has to be told."""
    return {
        "HTTPS_PROXY": gateway.proxy_url,
        "SSL_CERT_FILE": str(gateway.bundle),
        "OPENAI_API_KEY": keys.production,
    }
