"""Keys, configuration and environment that every end-to-end test of the gateway begins with."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Keys:
    """A production key and the staging key it is swapped for; made at run time, each different."""

    production: str
    staging: str


def fresh_keys() -> Keys:
    """Keys in the shape of OpenAI's own, with FAKE inside, never the same twice."""
    return Keys(_key("prod"), _key("stag"))


def _key(kind: str) -> str:
    return f"sk-proj-{f'FAKE{kind}' * 4}{secrets.token_hex(12)}T3BlbkFJ{secrets.token_hex(16)}"


def settings(proxy: str | None, ca_file: Path) -> dict[str, Any]:
    """One mapping, the relay as the way out, the fake's CA, a log in the folder."""
    mapping = {
        "name": "default",
        "production": ["env:OPENAI_API_KEY_PRODUCTION"],
        "staging": "env:OPENAI_API_KEY_STAGING",
    }
    return {
        "upstream": {"proxy": proxy, "ca_file": str(ca_file)},
        "keys": {"mappings": [mapping]},
        "log": {"database": "sqlite:///var/calls.db"},
    }


def environment(keys: Keys) -> dict[str, str]:
    """What `settings` refers to."""
    return {
        "OPENAI_API_KEY_PRODUCTION": keys.production,
        "OPENAI_API_KEY_STAGING": keys.staging,
    }


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, mappings field by field, everything else replaced."""
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[name] = merged(below, value)
        else:
            result[name] = value
    return result


def clean_environment() -> dict[str, str]:
    """The caller's environment without what would change the gateway or its clients."""
    words = ("OPENAI_", "MITMPROXY", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "NODE_", "PYTHONPATH")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(words)}
    return {k: v for k, v in kept.items() if k.lower() not in proxies}


def client_environment(proxy_url: str, bundle: Path, ca_file: Path, key: str) -> dict[str, str]:
    """The environment of a client as the README tells it to be set."""
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return {
        **clean_environment(),
        "HTTPS_PROXY": proxy_url,
        "OPENAI_API_KEY": key,
        "NODE_EXTRA_CA_CERTS": str(ca_file),
        **dict.fromkeys(names, str(bundle)),
    }
