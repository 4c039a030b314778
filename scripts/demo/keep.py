"""KEEP=1: everything stays up until Ctrl-C, and another shell is told how to use it."""

import signal

from scripts.demo.telling import Teller
from scripts.demo.world import World

CURL = 'curl https://api.openai.com/v1/models -H "authorization: Bearer $OPENAI_API_KEY"'


def keep(stage: World, teller: Teller) -> None:
    """Ends with Ctrl-C. The key is given as a file, so that it stands on no screen."""
    key = stage.gateway.folder / "production.key"
    key.touch(0o600)
    key.write_text(stage.keys.production)
    _tell(stage, teller, str(key))
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        teller.line()


def _tell(stage: World, teller: Teller, key: str) -> None:
    gateway = stage.gateway
    teller.line()
    teller.line("It stays up until Ctrl-C. In another shell:", "bold")
    teller.line(f"   export HTTPS_PROXY={gateway.proxy_url}")
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        teller.line(f"   export {name}={gateway.bundle}")
    teller.line(f"   export OPENAI_API_KEY=$(cat {key})")
    teller.line(f"   {CURL}")
    teller.line()
    teller.facts("gateway", [gateway.proxy_url])
    teller.facts("metrics", [f"{gateway.metrics_url}/metrics"])
    teller.facts("log", [str(gateway.database)])
