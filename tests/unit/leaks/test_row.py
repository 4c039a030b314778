"""A row shows no secret, whatever became of its call."""

import pytest

from openai_gateway.core.call import Call, Request
from openai_gateway.leaks.row import WITHHELD, blank, clean
from tests.leaks.subject import detector_of

SECRET = "glpat-" + "aZ3kQ9xT7bLm2Vc8Rw5d"
SHOWN = (
    "sdk", "model_requested", "model_sent", "model_response", "service_tier", "openai_request_id",
    "error_code", "upstream_error",
)  # fmt: skip


def call(**known: str) -> Call:
    made = Call(Request("GET", "api.openai.com", b"/v1/models/m?a=b", []), endpoint="models.get")
    for name in SHOWN:
        setattr(made, name, known.get(name, f"a {name}"))
    return made


@pytest.mark.parametrize("name", SHOWN)
def test_only_the_text_with_a_secret_is_taken_out(name: str) -> None:
    made = call(**{name: f"x {SECRET} y"})
    clean(made, detector_of())
    assert getattr(made, name) in (None, WITHHELD)
    assert [getattr(made, one) for one in SHOWN if one != name] == [
        f"a {one}" for one in SHOWN if one != name
    ]
    assert (made.path, made.request.method) == ("/v1/models/m", "GET")


@pytest.mark.parametrize("path", [SECRET, SECRET.replace("-", "%2D"), "%67" + SECRET[1:]])
def test_a_path_with_a_secret_is_withheld_as_it_stands_and_as_it_is_meant(path: str) -> None:
    made = call()
    made.request.target = b"/v1/models/" + path.encode()
    clean(made, detector_of())
    assert made.path == f"{WITHHELD} models.get"


def test_a_method_is_a_clients_word_too() -> None:
    made = call()
    made.request.method = SECRET
    clean(made, detector_of())
    assert made.request.method == "-"


def test_what_could_not_be_looked_at_is_left_out_whole() -> None:
    made = call()
    blank(made)
    assert {getattr(made, one) for one in SHOWN} == {None, WITHHELD}
    assert (made.path, made.request.method) == (f"{WITHHELD} models.get", "-")
