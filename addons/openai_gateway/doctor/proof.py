"""How a running gateway proves itself: by refusals that nothing but a gateway would give.

A made-up key is all that is sent until then, so whatever stands in a gateway's place gets nothing.
"""

import base64
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from openai_gateway.core.secret import Secret
from openai_gateway.doctor.site import Site
from openai_gateway.doctor.wire import Asked, Reply, Route, Unreachable, answers, ask, vouched
from openai_gateway.host.authority import HOST, PUBLIC_FILE
from openai_gateway.keys.mapping import REJECT

# of OpenAI's domain, so that no entry of `passthrough` covers it; there is no such name
REFUSED_TARGET: Final = "gateway-doctor.openai.com:443"
MODELS: Final = "/v1/models"
REQUEST_ID: Final = "x-gateway-request-id"

type State = Literal["proven", "absent", "wrong", "unclear"]


@dataclass(frozen=True, slots=True)
class Proof:
    """`proven`: it is a gateway that refuses a made-up key. `wrong`: something else answers."""

    state: State
    evidence: str
    fix: str = ""


def proof(site: Site) -> Proof:
    """What answers on the gateway's address."""
    where = f"{site.gateway[0]}:{site.gateway[1]}"
    if not answers(site.gateway):
        return Proof("absent", f"no gateway runs on {where}", "start it, then run doctor again")
    if trusted(site) is None:
        return Proof("unclear", "there is no CA to know the gateway by", "see `ca`")
    try:
        told = ask(route(site), Asked("GET", MODELS, authorization(_canary(site))))
    except Unreachable as error:
        return Proof("wrong", f"what answers on {where} is no gateway of this CA: {error}", _FIX)
    return _judged(told, where)


_FIX: Final = "see which process it is (`ports`), and start the gateway in its place"


def _judged(told: Reply, where: str) -> Proof:
    if told.code == "gateway_unknown_key" and told.headers.get(REQUEST_ID):
        return Proof("proven", f"a made-up key is refused ({told.headers[REQUEST_ID]})")
    if told.code.startswith("gateway_"):
        text = f"the gateway answers {told.status} {told.code} to a made-up key"
        return Proof("unclear", text, "docs/errors.md tells what this code means")
    text = f"a made-up key went through {where}: it answers {told.status}, not a refusal of ours"
    return Proof("wrong", text, _FIX)


def _canary(site: Site) -> Secret:
    """Shaped as a production key. Where unknown keys are stood in for, of a kind that never is."""
    stands_in = site.config is not None and site.config.keys.unknown != REJECT
    kind = "sk-admin-" if stands_in else "sk-proj-"
    return Secret(f"{kind}FAKEdoctor{secrets.token_hex(12)}T3BlbkFJ{secrets.token_hex(16)}")


def route(site: Site) -> Route:
    """Through the gateway to OpenAI's name. Only with what `trusted` names."""
    found = trusted(site)
    context = (
        ssl.create_default_context(cafile=str(found)) if found else ssl.create_default_context()
    )
    return Route(HOST, context, site.gateway, _proxy_authorization(site, context))


def trusted(site: Site) -> Path | None:
    """The gateway's own certificate, or on a client's machine what its programs trust."""
    own = site.certs / PUBLIC_FILE
    if own.is_file():
        return own
    named = Path(site.environ.get("SSL_CERT_FILE") or "/")
    return named if site.remote and named.is_file() else None


def authorization(key: Secret) -> Mapping[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {key.reveal()}"}


def _proxy_authorization(site: Site, trust: ssl.SSLContext) -> Mapping[str, str]:
    """A client's name and secret where the gateway asks for them; else what HTTPS_PROXY holds.

    They go in the clear, before the tunnel: only to what shows in TLS that it has the CA's key.
    """
    told = _credentials(site)
    if not told or not vouched(site.gateway, HOST, trust):
        return {}
    return {"Proxy-Authorization": f"Basic {base64.b64encode(told.encode()).decode()}"}


def _credentials(site: Site) -> str:
    known = site.config.clients.credentials if site.config else {}
    for name, reference in known.items():
        return f"{name}:{reference.secret.reveal()}"
    try:
        parts = urlsplit(site.environ.get("HTTPS_PROXY") or "")
        same = (parts.hostname, parts.port) == site.gateway
    except ValueError:
        return ""
    if not same or parts.username is None:
        return ""
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def chat(key: Secret, model: str, most: int) -> Asked:
    """A streamed call that asks for little."""
    body = {
        "model": model,
        "stream": True,
        "max_completion_tokens": most,
        "messages": [{"role": "user", "content": "Count from 1 to 40, digits only."}],
    }
    headers = {**authorization(key), "content-type": "application/json"}
    return Asked("POST", "/v1/chat/completions", headers, json.dumps(body).encode())
