"""What the process knows of its configuration, without a mitmproxy around it."""

import logging
from pathlib import Path

from openai_gateway import rulebook
from openai_gateway.chain import build
from openai_gateway.config.load import read
from openai_gateway.host.lifecycle import Lifecycle
from openai_gateway.host.state import State
from openai_gateway.services import Services

ENV = {
    "OPENAI_API_KEY_PRODUCTION": "sk-proj-" + "FAKEprod" * 5,
    "OPENAI_API_KEY_STAGING": "sk-proj-" + "FAKEstag" * 5,
    "FIRST": "odd-password-of-ci",
    "SECOND": "another-password",
}
FILE = """\
keys:
  mappings:
    - name: default
      production: [env:OPENAI_API_KEY_PRODUCTION]
      staging: env:OPENAI_API_KEY_STAGING
clients: {{credentials: {{ci: env:{}}}}}
"""


def test_no_log_shows_a_secret_of_the_new_configuration_nor_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    first, second = (read(FILE.format(name), ENV, path=path) for name in ("FIRST", "SECOND"))
    rules = rulebook.read(first)
    lifecycle = Lifecycle(State(services=Services.of(first, rules)), build)
    lifecycle._build(first, rules)
    lifecycle._build(second, rules)
    record = logging.LogRecord("n", 40, "p", 1, f"{ENV['FIRST']}, {ENV['SECOND']}", (), None)
    lifecycle.scrub.filter(record)
    assert record.getMessage() == "***, ***"
