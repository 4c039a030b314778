"""Each of OpenAI's endpoints is found by its row; a row file that says nonsense is refused."""

from pathlib import Path

import pytest
import yaml

from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.api.paths import BadPath

FILE = Path("rules/endpoints.yaml")
TABLE = EndpointTable.load(FILE)
ROWS = yaml.safe_load(FILE.read_text())["endpoints"]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_every_row_of_the_file_is_found_by_a_request_like_it(row: dict) -> None:
    path = row["path"].replace("**", "a/b")
    for name in ("completion_id", "id"):
        path = path.replace("{%s}" % name, f"{name}_1")  # noqa: UP031 - braces are meant
    path = path.replace("{", "").replace("}", "_1")
    found = TABLE.match("GET" if row["method"] == "*" else row["method"], path.encode())
    assert found is not None
    assert found.name == row["name"]


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", b"/v1/responses", "responses.create"),
        ("GET", b"/v1/responses", "responses.ws"),
        ("GET", b"/v1/responses/resp_1", "responses.get"),
        ("POST", b"/v1/responses/compact", "responses.compact"),
        ("POST", b"/v1/responses/input_tokens?beta=true", "responses.count"),
        ("HEAD", b"/v1/models", "models.list"),
        ("HEAD", b"/v1/models/gpt-6-luna", "models.get"),
        ("POST", b"/v1/chat/completions/", "chat.create"),
        ("POST", b"/v1/chat%2Dcompletions", None),
        ("POST", b"/v1/%63hat/completions", "chat.create"),
        ("POST", b"/V1/Chat/COMPLETIONS", "chat.create"),
        ("GET", b"/v1/videos/characters/c_1", "videos.characters.get"),
        ("GET", b"/v1/videos/v_1/content", "videos.content"),
        ("GET", b"/v1/assistants", "assistants.root"),
        ("DELETE", b"/v1/assistants/a_1", "assistants"),
        ("POST", b"/v1/threads/runs", "threads.create_and_run"),
        ("POST", b"/v1/threads/t_1/runs", "threads.runs.create"),
        ("GET", b"/v1/threads/t_1/messages", "threads"),
        ("GET", b"/v1/threads/t_1/runs/r_1/steps/s_1", "threads"),
        ("GET", b"/v1/evals/e_1/runs", "evals"),
        ("POST", b"/v1/evals/e_1/runs", "evals.runs.create"),
        ("OPTIONS", b"/v1/organization/costs", "admin.organization"),
        ("GET", b"/v1/organization", "admin.organization"),
        ("GET", b"/v1/organization/", "admin.organization"),
        ("GET", b"/v1/ORGANIZATION/costs", "admin.organization"),
        ("GET", b"/v1/%6frganization/costs", "admin.organization"),
        ("POST", b"/v1/projects", "admin.projects"),
        ("GET", b"/dashboard/billing/usage", "dashboard"),
        ("GET", b"/dashboard", "dashboard"),
        ("POST", b"/v1/engines/davinci/completions", "engines"),
        ("PUT", b"/v1/models", None),
        ("GET", b"/v1/organizations", None),
        ("POST", b"/v1/chat/completionsX", None),
        ("POST", b"/v1/chat/completions/a/b/c", None),
        ("GET", b"/v1/brand/new", None),
        ("OPTIONS", b"/v1/chat/completions", None),
    ],
)
def test_the_most_exact_row_wins(method: str, target: bytes, name: str | None) -> None:
    found = TABLE.match(method, target)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    "target", [b"/", b"/v1", b"/v1/", b"/v2/models", b"/v1beta/models", b"/foo", b"/models"]
)
def test_what_is_outside_v1_and_not_listed_is_refused(target: bytes) -> None:
    with pytest.raises(BadPath):
        TABLE.match("GET", target)


def test_websocket_and_organization_rows_are_known_as_such() -> None:
    rows = {row.name: row for row in TABLE.rows()}
    assert {name for name, row in rows.items() if row.websocket} == {
        "responses.ws", "realtime.ws", "realtime.translate.ws", "live.ws", "live.attach.ws",
        "live.fork.ws",
    }  # fmt: skip
    assert {name for name, row in rows.items() if row.organization} == {
        "admin.organization", "admin.projects",
    }  # fmt: skip


def test_a_row_carries_its_fields_with_the_defaults_filled_in() -> None:
    rows = {row.name: row for row in TABLE.rows()}
    chat = rows["chat.create"]
    assert (chat.category, chat.default, chat.model_in) == ("inference", "allow", "body:model")
    assert chat.response == ("json", "sse")
    assert chat.stream == "body:stream=true"
    assert chat.usage == ("usage", "sse:LAST.usage")
    assert rows["chat.delete"].usage == ("none",)
    assert rows["chat.list"].again
    assert rows["audio.speech"].cost == ("characters", "tokens")


def test_names_are_all_rows_names_and_the_table_is_dated() -> None:
    assert TABLE.names() == {row["name"] for row in ROWS}
    assert len(TABLE.names()) == len(ROWS)
    assert TABLE.as_of == "2026-11-24"


HEAD = """
as_of: 2026-11-24
defaults: {category: storage, default: allow, model_in: none, body: none, response: [json],
           usage: none, cost: none, stream: none, again: false, src: both}
endpoints:
  - {method: "*", path: "/v1/organization/**", name: admin.organization, default: refuse}
  - {method: "*", path: "/v1/projects/**", name: admin.projects, default: refuse}
"""


def load(folder: Path, text: str) -> EndpointTable:
    path = folder / "endpoints.yaml"
    path.write_text(text)
    return EndpointTable.load(path)


def test_an_own_file_with_its_own_rows_is_read(tmp_path: Path) -> None:
    table = load(tmp_path, HEAD + "  - {method: PUT, path: '/v1/x/{y}', name: x.put}\n")
    found = table.match("PUT", b"/v1/x/1")
    assert found is not None
    assert found.name == "x.put"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{method: GET, path: /v1/x, name: admin.projects}", "two endpoints have the name"),
        ('{method: "*", path: "/v1/projects/**", name: b}', "b and admin.projects have one method"),
        ("{method: FETCH, path: /v1/x, name: a}", "endpoints[2] (a): method is one of"),
        ("{method: GET, path: /v1/x, name: a, default: deny}", "default is one of"),
        ("{method: GET, path: /v1/x, name: a, category: x}", "category is one of"),
        ("{method: GET, path: /v1/x, name: a, body: xml}", "body is one of"),
        ("{method: GET, path: /v1/x, name: a, response: [json, xml]}", "response is one of"),
        ("{method: GET, path: /v1/x, name: a, cost: money}", "cost is one of"),
        ("{method: GET, path: /v1/x, name: a, src: me}", "src is one of"),
        ("{method: GET, path: /v1/x, name: a, model_in: where}", "model_in is not"),
        ("{method: GET, path: /v1/x, name: a, colour: red}", "unknown field colour"),
        ("{method: GET, path: /v1/x, name: a, again: maybe}", "again is neither"),
        ("{method: GET, path: /v1/x, name: a, usage: [1]}", "usage is neither"),
        ("{method: GET, path: /v1/x, name: a, usage: []}", "usage is neither"),
        ("{method: GET, path: /v1/x, name: A-b}", "name is not of the form"),
        ("{method: GET, path: /v1/x}", "endpoints[2] (no name): name is missing"),
        ("{method: GET, path: 1, name: a}", "path is missing or no text"),
        ("{method: GET, path: v1/x, name: a}", "path is not of the form"),
        ("{method: GET, path: '', name: a}", "path is not of the form"),
        ("{method: GET, path: /v1//x, name: a}", "path is not of the form"),
        ("{method: GET, path: '/v1/{x', name: a}", "path is not of the form"),
        ("{method: GET, path: '/v1/a{x}', name: a}", "path is not of the form"),
        ("{method: GET, path: '/v1/**/x', name: a}", "** stands at the end"),
        ("text", "endpoints[2] is no mapping"),
        ("{unclosed: [", "endpoints.yaml:9:1: "),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"endpoints\.yaml") as fault:
        load(tmp_path, f"{HEAD}  - {row}\n")
    assert said in str(fault.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no endpoints"),
        ("endpoints: 1", "lists no endpoints"),
        ("endpoints: []", "needs as_of and defaults"),
        ("endpoints: []\nas_of: 1", "needs as_of and defaults"),
        ("endpoints: []\nas_of: 1\ndefaults: {}", "/v1/organization/**"),
        (HEAD.replace('"/v1/projects/**"', "/v1/projects/x"), "/v1/projects/**"),
        (HEAD.replace('{method: "*", path: "/v1/organization/**"',
                      '{method: GET, path: "/v1/organization/**"'), "/v1/organization/**"),
    ],
)  # fmt: skip
def test_a_file_that_leaves_something_essential_out_is_refused(tmp_path, text, said) -> None:
    with pytest.raises(ValueError, match=r"endpoints\.yaml") as fault:
        load(tmp_path, text)
    assert said in str(fault.value)
