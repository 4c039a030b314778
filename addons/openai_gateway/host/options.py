"""mitmproxy's options: which are set, which are refused because they would undo the gateway.

Policy lives in gateway.yaml; options only wire. A refused one stops the start, and a later change
of one is rolled back by mitmproxy. Options that this mitmproxy does not have are passed over.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

REFUSED: Final[Mapping[str, str]] = {
    "map_remote": "would send a swapped key elsewhere",
    "map_local": "would answer without the gateway",
    "modify_headers": "would change what was already looked at",
    "modify_body": "would change what was already looked at",
    "stickyauth": "would attach a credential again after the swap",
    "stickycookie": "would attach a credential again after the swap",
    "save_stream_file": "would write keys and bodies to disk",
    "hardump": "would write keys and bodies to disk",
    "client_replay": "would bring in calls that no client sent",
    "server_replay": "would bring in answers that no upstream sent",
    "rfile": "would bring in calls that no client sent",
    "intercept": "would hold calls",
    "ssl_insecure": "would send keys to an upstream with a wrong certificate",
    "ssl_verify_upstream_trusted_confdir": "would widen the upstream's trust",
    "stream_large_bodies": "would send bodies unseen",
    "store_streamed_bodies": "would keep answers in memory",
    "body_size_limit": "leaks.max_body_bytes in gateway.yaml sets the limit",
    "allow_hosts": "would open blind tunnels; `passthrough` in gateway.yaml names them",
    "ignore_hosts": "would open blind tunnels; `passthrough` in gateway.yaml names them",
    "tcp_hosts": "would open blind tunnels; `passthrough` in gateway.yaml names them",
    "udp_hosts": "would open blind tunnels; `passthrough` in gateway.yaml names them",
    "upstream_auth": "`upstream.proxy` in gateway.yaml holds the proxy's credentials",
    "proxyauth": "`clients.credentials` in gateway.yaml names the clients",
    "block_list": "would answer without the gateway",
    "certs": "the gateway's own authority signs; see `openai-gateway ca`",
    "client_certs": "would show a certificate to the upstream",
    "add_upstream_certs_to_client_chain": "would ask the upstream before the call is judged",
    "proxy_debug": "would print traffic",
    "show_ignored_hosts": "would record blind tunnels",
    "emudhra": "is no option of a reviewed mitmproxy",
    "emudhra_old": "is no option of a reviewed mitmproxy",
}

FORCED: Final[Mapping[str, Any]] = {
    "rawtcp": False,
    "onboarding": False,
    "upstream_cert": False,
    "connection_strategy": "lazy",
    "flow_detail": 0,
    "validate_inbound_headers": True,
    "websocket": True,
    "keep_host_header": False,
    "anticache": False,
    "anticomp": False,
    "termlog_verbosity": "warn",
}

# Set to a better default, but free: these only say how much is told.
FREE: Final = frozenset({"termlog_verbosity"})

# What may not be weakened, beside `tls_version_*_min` that may only rise.
WEAK_TLS: Final = frozenset({"UNBOUNDED", "SSL3", "TLS1", "TLS1_1"})


class Options(Protocol):
    """What is used of mitmproxy's options."""

    def __contains__(self, name: str) -> bool: ...
    def __getattr__(self, name: str) -> Any: ...
    def default(self, name: str) -> Any: ...


def faults(options: Options, own: Mapping[str, Any]) -> list[str]:
    """Every option that is set to what the gateway refuses; `own` are the values it set itself."""
    return [
        *_refused(options),
        *(
            f"option {name}: must be {own[name]!r}; take --set {name} away"
            for name in own
            if name in options and getattr(options, name) != own[name]
        ),
        *_mode(options),
        *_scripts(options),
        *_tls(options),
    ]


def overridden(options: Options) -> list[str]:
    """Every option that the user set against what the promises rest on."""
    return [
        f"option {name}: must be {value!r}; take --set {name} away"
        for name, value in FORCED.items()
        if name in options
        and name not in FREE
        and getattr(options, name) not in (value, options.default(name))
    ]


def _refused(options: Options) -> Iterable[str]:
    for name, why in REFUSED.items():
        if name in options and getattr(options, name) != options.default(name):
            yield f"option {name} is refused: it {_verb(why)}; take --set {name} away"


def _verb(why: str) -> str:
    return why if why.startswith(("would", "is ")) else f"is not the place: {why}"


def _mode(options: Options) -> Iterable[str]:
    for mode in options.mode:
        if mode.split("@", 1)[0] != "regular":
            yield f"option mode: {mode!r} is refused; the gateway is a regular proxy (mode=regular)"


def _scripts(options: Options) -> Iterable[str]:
    if len(options.scripts) > 1:
        yield "a second -s script is refused: it could change a call after the gateway"


def _tls(options: Options) -> Iterable[str]:
    for name in ("tls_version_client_min", "tls_version_server_min"):
        if name in options and getattr(options, name) in WEAK_TLS:
            yield f"option {name}: {getattr(options, name)} is refused; TLS1_2 is the least"


def typos(deferred: Iterable[str]) -> list[str]:
    """What `--set` named that no addon knows: mitmproxy ignores it in silence."""
    return [f"option {name} does not exist; correct or remove --set {name}" for name in deferred]


def is_default(options: Options, name: str) -> bool:
    """Whether the user left this option alone."""
    return bool(getattr(options, name) == options.default(name))
