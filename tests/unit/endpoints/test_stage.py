"""Which endpoints a call may ask for, under which policy, and what a refusal tells."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import PASS, Refuse, Verdict
from openai_gateway.endpoints.stage import Endpoints, NameEndpoint

TABLE = EndpointTable.load(Path("rules/endpoints.yaml"))


@dataclass(frozen=True)
class Policy:
    unknown: str = "allow"
    allow: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()


def call_of(method: str, target: bytes, websocket: bool = False) -> Call:
    return Call(Request(method, "api.openai.com", target, []), websocket=websocket)


def judged(
    method: str, target: bytes, policy: Policy = Policy(), websocket: bool = False
) -> Verdict:
    return asked(Endpoints(TABLE, policy), call_of(method, target, websocket))


def asked(stage: Endpoints, call: Call) -> Verdict:
    """The verdict behind the stage that names the endpoint."""
    assert NameEndpoint(TABLE).check(call) == PASS
    return stage.check(call)


def message(verdict: Verdict) -> str:
    assert isinstance(verdict, Refuse)
    assert verdict.refusal.code == "gateway_endpoint_refused"
    return verdict.refusal.message


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", b"/v1/chat/completions", "chat.create"),
        ("GET", b"/v1/models/gpt-6-luna?x=1", "models.get"),
        ("GET", b"/v1/responses", "responses.ws"),  # a plain GET: OpenAI answers it
        ("HEAD", b"/v1/files/f_1", "files.get"),
        ("PATCH", b"/v1/brand/new", "unknown"),
        ("OPTIONS", b"/v1/models", "unknown"),
    ],
)
def test_an_allowed_endpoint_passes_and_is_named(method: str, target: bytes, name: str) -> None:
    call = call_of(method, target)
    assert asked(Endpoints(TABLE, Policy()), call) == PASS
    assert call.endpoint == name


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", b"/v1/fine_tuning/jobs", "fine_tuning.create"),
        ("POST", b"/v1/realtime/calls", "realtime.calls.create"),
        ("POST", b"/v1/live/sessions", "live.create"),
        ("DELETE", b"/v1/models/ft:x", "models.delete"),
        ("GET", b"/v1/webhook_endpoints", "webhooks.root"),
        ("GET", b"/v1/vaults/v_1", "vaults"),
        ("GET", b"/v1/agents/sessions/s_1", "agents.sessions.get"),
        ("GET", b"/dashboard/billing/usage", "dashboard"),
    ],
)
def test_opt_in_and_refuse_rows_pass_only_where_allow_names_them(method, target, name) -> None:
    words = message(judged(method, target))
    assert f"endpoints: {{allow: [{name}]}}" in words
    assert judged(method, target, Policy(allow=(name,))) == PASS
    assert judged(method, target, Policy(allow=("models.lis?", name[:4] + "*"))) == PASS
    assert name in message(judged(method, target, Policy(allow=("chat.*",))))


@pytest.mark.parametrize("allow", [(), ("*",), ("admin.*",), ("admin.organization",)])
@pytest.mark.parametrize(
    "target",
    [
        b"/v1/organization/admin_api_keys",
        b"/v1/organization",
        b"/v1/Organization/users",
        b"/v1/%6frganization/costs",
        b"/v1/projects/p_1/api_keys",
        b"/v1/projects",
    ],
)
def test_no_setting_opens_the_organization_api(allow: tuple[str, ...], target: bytes) -> None:
    words = message(judged("POST", target, Policy(allow=allow)))
    assert "No setting opens it" in words


def test_no_own_row_opens_a_part_of_the_organization_api(tmp_path: Path) -> None:
    row = '  - {method: GET, path: "/v1/organization/costs", name: costs, default: allow}\n'
    text = Path("rules/endpoints.yaml").read_text().replace("endpoints:\n", "endpoints:\n" + row)
    (tmp_path / "endpoints.yaml").write_text(text)
    stage = Endpoints(EndpointTable.load(tmp_path / "endpoints.yaml"), Policy(allow=("costs",)))
    assert "No setting" in message(asked(stage, call_of("GET", b"/v1/organization/costs")))


@pytest.mark.parametrize("allow", [(), ("files.*",)])
def test_what_the_configuration_refuses_is_refused_whatever_it_allows(allow) -> None:
    policy = Policy(allow=allow, refuse=("files.*",))
    call = call_of("GET", b"/v1/files")
    words = message(asked(Endpoints(TABLE, policy), call))
    assert "files.list is refused by endpoints.refuse" in words
    assert call.endpoint == "files.list"
    assert judged("GET", b"/v1/models", policy) == PASS


def test_an_unlisted_path_is_refused_where_unknown_is_refuse() -> None:
    words = message(judged("GET", b"/v1/brand/new", Policy(unknown="refuse")))
    assert "endpoints: {unknown: allow}" in words


@pytest.mark.parametrize("unknown", ["", "Allow", "observe"])
def test_a_policy_word_that_is_not_known_refuses(unknown: str) -> None:
    message(judged("GET", b"/v1/brand/new", Policy(unknown=unknown)))


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/models/../organization/users",
        b"/v1/%2e%2e/x",
        b"/v1//models",
        b"/v1/a%2fb",
        b"/v1/a;b",
        b"/health",
        b"*",
        b"",
    ],
)
def test_a_doubtful_path_is_refused_even_where_unknown_paths_pass(target: bytes) -> None:
    call = call_of("GET", target)
    assert "Its path" in message(asked(Endpoints(TABLE, Policy()), call))
    assert call.endpoint == "unknown"


def test_a_refusal_never_repeats_the_path() -> None:
    target = b"/v1/sk-proj-FAKEFAKE/x%2f"
    assert "FAKE" not in message(judged("GET", target))
    assert "FAKE" not in message(judged("GET", b"/v1/FAKE", Policy(unknown="refuse")))


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "FOO", "", "X\r\n"])
def test_a_method_that_the_api_does_not_know_is_refused(method: str) -> None:
    assert "method" in message(judged(method, b"/v1/models"))


@pytest.mark.parametrize(
    ("method", "target", "passes"),
    [
        ("GET", b"/v1/responses", True),
        ("GET", b"/v1/realtime?model=gpt-realtime-2.1", True),
        ("GET", b"/v1/live/sessions/s_1/fork", True),
        ("GET", b"/v1/brand/new", True),
        ("GET", b"/v1/models", False),
        ("POST", b"/v1/chat/completions", False),
        ("POST", b"/v1/responses", False),
    ],
)
def test_a_websocket_opens_only_where_there_is_one(method, target, passes: bool) -> None:
    verdict = judged(method, target, websocket=True)
    assert (verdict == PASS) is passes
    if not passes:
        assert "is no WebSocket" in message(verdict)


@pytest.mark.parametrize(
    "name", [b"X-HTTP-Method-Override", b"x-http-method", b"X-Method-Override", b"X-Original-URL",
             b"x-rewrite-url"],
)  # fmt: skip
def test_a_header_that_would_make_another_call_of_it_does_not_leave(name: bytes) -> None:
    call = call_of("POST", b"/v1/models/m")
    call.request.headers = [(b"a", b"1"), (name, b"DELETE")]
    assert asked(Endpoints(TABLE, Policy()), call) == PASS
    assert call.request.headers == [(b"a", b"1")]
