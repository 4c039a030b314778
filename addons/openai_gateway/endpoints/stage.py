"""Names the call's endpoint, and refuses those that staging has no business with."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final, Protocol

from openai_gateway.api.endpoints import Endpoint, EndpointTable
from openai_gateway.api.errors import refusal
from openai_gateway.api.headers import OVERRIDES
from openai_gateway.api.paths import BadPath
from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Refuse, Verdict

# TRACE would send the staging key back to the client; CONNECT is not for an endpoint.
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Policy(Protocol):
    """The section `endpoints` of gateway.yaml."""

    @property
    def unknown(self) -> str: ...
    @property
    def allow(self) -> Sequence[str]: ...
    @property
    def refuse(self) -> Sequence[str]: ...


class NameEndpoint:
    """The stage that finds the call's row, so that a refusal of any kind can be booked under it."""

    name: Final = "route"
    limit_s: Final = 1.0

    def __init__(self, table: EndpointTable) -> None:
        self._table = table

    def check(self, call: Call) -> Verdict:
        """Sets `call.endpoint` and `route`, or `path_fault`; refuses nothing yet."""
        try:
            row = self._table.match(call.request.method, call.request.target)
        except BadPath as error:
            call.path_fault = str(error)
            return PASS
        if row is not None:
            call.endpoint, call.route = row.name, row
        return PASS


class Endpoints:
    """The stage that holds calls to rules/endpoints.yaml and to the configuration's policy."""

    name: Final = "endpoints"
    limit_s: Final = 1.0

    def __init__(self, table: EndpointTable, policy: Policy) -> None:
        self._lets_unknown = policy.unknown == "allow"
        self._refused = {
            row.name: why for row in table.rows() if (why := _why_refused(row, policy)) is not None
        }

    def check(self, call: Call) -> Verdict:
        """Refuses what `NameEndpoint` found, or lets it pass."""
        request = call.request
        if request.method not in _METHODS:
            return _refuse("Its method is none that OpenAI's API knows.")
        if call.path_fault:
            return _refuse(f"Its path {call.path_fault}. Ask for the plain path of OpenAI's API.")
        request.drop(*OVERRIDES)
        row = call.route
        return self._listed(call, row) if isinstance(row, Endpoint) else self._unlisted()

    def _unlisted(self) -> Verdict:
        if self._lets_unknown:
            return PASS
        return _refuse(
            "Its path is not in rules/endpoints.yaml, and endpoints.unknown is `refuse`. To let "
            "such paths through, set `endpoints: {unknown: allow}` in gateway.yaml."
        )

    def _listed(self, call: Call, row: Endpoint) -> Verdict:
        why = self._refused.get(row.name)
        if why is not None:
            return _refuse(why)
        if call.websocket and not row.websocket:
            return _refuse(f"{row.name} is no WebSocket. Ask for it without `Upgrade: websocket`.")
        return PASS


def _why_refused(row: Endpoint, policy: Policy) -> str | None:
    """Why this policy refuses the row, and what would change it; None where it does not."""
    if row.organization:
        return (
            f"{row.name} belongs to OpenAI's organization and admin API, which never goes through "
            f"this gateway. No setting opens it."
        )
    if _named(row.name, policy.refuse):
        return f"{row.name} is refused by endpoints.refuse in gateway.yaml; take it out there."
    if row.default == "allow" or _named(row.name, policy.allow):
        return None
    return (
        f"{row.name} is marked `{row.default}` in rules/endpoints.yaml. If staging needs it, name "
        f"it in gateway.yaml: `endpoints: {{allow: [{row.name}]}}`."
    )


def _named(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _refuse(why: str) -> Refuse:
    message = f"The endpoint of this request is refused. {why}"
    return Refuse(refusal("gateway_endpoint_refused", message, reason="endpoint"))
