"""The catalogue keeps to the contract's table, and every refusal to OpenAI's envelope."""

import orjson
import pytest

from openai_gateway.api import errors

TABLE = {
    "gateway_missing_key": (401, "invalid_request_error", False, "rejected_key"),
    "gateway_ambiguous_key": (400, "invalid_request_error", False, "rejected_key"),
    "gateway_unknown_key": (401, "invalid_request_error", False, "rejected_key"),
    "gateway_production_key_leaked": (403, "permission_error", False, "blocked"),
    "gateway_destination_refused": (403, "permission_error", False, "blocked"),
    "gateway_client_refused": (407, "permission_error", False, "blocked"),
    "gateway_endpoint_refused": (403, "permission_error", False, "blocked"),
    "gateway_body_too_large": (413, "invalid_request_error", False, "blocked"),
    "gateway_unsupported_encoding": (415, "invalid_request_error", False, "blocked"),
    "gateway_unreadable_body": (400, "invalid_request_error", False, "blocked"),
    "gateway_store_unavailable": (503, "server_error", True, "error"),
    "rate_limit_exceeded": (429, "requests", True, "throttled"),
    "project_spend_limit_exceeded": (429, "insufficient_quota", False, "over_budget"),
    "gateway_upstream_unreachable": (502, "server_error", True, "error"),
    "gateway_upstream_timeout": (504, "server_error", True, "error"),
    "gateway_not_ready": (503, "server_error", True, "error"),
    "gateway_internal_error": (503, "server_error", False, "error"),
}


@pytest.mark.parametrize(("code", "row"), TABLE.items())
def test_status_type_and_retry_are_the_contract_s(code: str, row: tuple) -> None:
    refused = errors.refusal(code)
    assert (refused.status, refused.type, refused.retry, refused.outcome) == row


@pytest.mark.parametrize("code", errors.CATALOGUE)
def test_the_envelope_has_all_four_keys_and_nothing_else(code: str) -> None:
    body = orjson.loads(errors.envelope(errors.refusal(code, "why")))
    assert body == {
        "error": {
            "message": "why",
            "type": errors.CATALOGUE[code].type,
            "param": None,
            "code": code,
        }
    }


@pytest.mark.parametrize("code", errors.CATALOGUE)
def test_the_public_form_names_nothing_of_ours_and_keeps_the_rest(code: str) -> None:
    full = errors.refusal(code, "gateway.yaml:3 mapping ci", param="model", reason="r")
    shown = errors.public(full)
    ours = ("gateway", "yaml", "mapping", "staging", "passthrough", "rules", "models.", "budget",
            "limits.", "leaks", "upstream", "store", "substitute", "replay", "proxy_")  # fmt: skip
    assert [word for word in ours if word in shown.message.lower()] == []
    assert shown.param is None
    assert (shown.code, shown.status, shown.type, shown.retry, shown.outcome, shown.reason) == (
        full.code, full.status, full.type, full.retry, full.outcome, full.reason,
    )  # fmt: skip


@pytest.mark.parametrize("code", errors.CATALOGUE)
def test_a_refusal_without_words_says_what_it_means_and_what_to_do(code: str) -> None:
    kind = errors.CATALOGUE[code]
    assert errors.refusal(code).message == f"{kind.meaning} {kind.fix}"


def test_a_refusal_may_bring_its_own_type_retry_and_public_words() -> None:
    full = errors.refusal(
        "rate_limit_exceeded", "rule ci", type_="tokens", retry=False, public="Request too large."
    )
    assert (full.type, full.retry, full.message) == ("tokens", False, "rule ci")
    shown = errors.public(full)
    assert (shown.type, shown.retry, shown.message) == ("tokens", False, "Request too large.")


def test_every_refusal_carries_its_id_twice_and_says_whether_to_retry() -> None:
    sent = dict(errors.headers(errors.refusal("gateway_not_ready"), "gw_1"))
    assert sent == {
        "content-type": "application/json",
        "x-request-id": "gw_1",
        "x-gateway-request-id": "gw_1",
        "x-should-retry": "true",
    }
    assert ("x-should-retry", "false") in errors.headers(errors.refusal("gateway_missing_key"), "")


def test_a_refused_client_is_asked_for_its_credentials() -> None:
    sent = errors.headers(errors.refusal("gateway_client_refused", headers=(("a", "b"),)), "gw_1")
    assert sent[-2:] == (("proxy-authenticate", 'Basic realm="openai-gateway"'), ("a", "b"))


def test_a_code_that_the_catalogue_does_not_know_is_a_fault() -> None:
    with pytest.raises(KeyError):
        errors.refusal("gateway_made_up")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"code":"model_not_found","type":"t"}}', "model_not_found"),
        (b'{"error":{"code":null,"type":"server_error"}}', "server_error"),
        (b'{"error":{"code":7}}', "500"),
        (b'{"error":"text"}', "500"),
        (b'{"other":1}', "500"),
        (b"[1]", "500"),
        (b"<html>", "500"),
        (b"", "500"),
    ],
)
def test_the_code_of_an_upstream_error_is_its_code_else_type_else_status(body, code) -> None:
    assert errors.code_of(body, 500) == code
