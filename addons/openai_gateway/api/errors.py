"""The catalogue of every refusal: code, status, type, what it means and what to do about it.

The envelope is OpenAI's (`{"error": {message, type, param, code}}`, all four keys always there).
docs/errors.md is made from this file.
"""

from dataclasses import dataclass
from typing import Final

import orjson

from openai_gateway.core.verdict import Refusal

JSON: Final = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry: what is fixed for every refusal of this code.

    `public` is the message that names nothing of ours (`errors.detail: public`).
    """

    code: str
    status: int
    type: str
    retry: bool
    outcome: str
    public: str
    meaning: str
    fix: str
    headers: tuple[tuple[str, str], ...] = ()


_INVALID: Final = "invalid_request_error"
_DENIED: Final = "permission_error"
_SERVER: Final = "server_error"

_KINDS: Final = (
    Kind(
        "gateway_missing_key", 401, _INVALID, False, "rejected_key",
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        "The call carries no credential.",
        "Give the SDK its usual key (OPENAI_API_KEY); the gateway swaps it.",
    ),
    Kind(
        "gateway_ambiguous_key", 400, _INVALID, False, "rejected_key",
        "The request carries more than one API key.",
        "More than one credential: two Authorization headers, or one beside a WebSocket "
        "subprotocol key.",
        "Send one credential, in one place.",
    ),
    Kind(
        "gateway_unknown_key", 401, _INVALID, False, "rejected_key",
        "Incorrect API key provided. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        "The key is in no mapping, or of a kind that never passes: an admin key, a session key, "
        "or an ephemeral key that was not minted through this gateway.",
        "Use a key that gateway.yaml maps under keys.mappings.",
    ),
    Kind(
        "gateway_production_key_leaked", 403, _DENIED, False, "blocked",
        "The request was refused because it contains an API key outside the Authorization header.",
        "A production key stands somewhere else than in the credential's place: URL, header, "
        "cookie, body, form, file or WebSocket message, plain or encoded.",
        "Take the key out of the place that the message names, and rotate it if others saw it.",
    ),
    Kind(
        "gateway_secret_detected", 403, _DENIED, False, "blocked",
        "The request was refused because it appears to contain a secret.",
        "A leak rule with action block found something: in the URL, a header, a cookie, the body, "
        "a form, a file or a WebSocket message, plain or encoded; or something could not be "
        "decoded within its bounds and leaks.on_budget is block.",
        "Take it out of the place that the message names. If it is no secret, add its rule with a "
        "reason to leaks.allow in gateway.yaml.",
    ),
    Kind(
        "gateway_destination_refused", 403, _DENIED, False, "blocked",
        "The destination of this request is not allowed.",
        "Host, port, scheme, SNI or Host header is not the upstream's, and not in passthrough.",
        "Call https://api.openai.com, or add the host to `passthrough` in gateway.yaml.",
    ),
    Kind(
        "gateway_client_refused", 407, _DENIED, False, "blocked",
        "Proxy authentication required.",
        "`clients.credentials` is set, and the client sent none or a wrong one.",
        "Put the client's name and secret into HTTPS_PROXY: http://NAME:SECRET@HOST:PORT.",
        (("proxy-authenticate", 'Basic realm="openai-gateway"'),),
    ),
    Kind(
        "gateway_endpoint_refused", 403, _DENIED, False, "blocked",
        "You have insufficient permissions for this operation.",
        "The organization and admin API, and what rules/endpoints.yaml marks `refuse` or `opt_in`.",
        "If staging needs it, name the endpoint under `endpoints.allow` in gateway.yaml.",
    ),
    Kind(
        "gateway_model_denied", 403, _DENIED, False, "blocked",
        "The requested model is not available to you.",
        "`models.deny` names the model that would be sent.",
        "Ask for another model, or take the pattern out of models.deny in gateway.yaml.",
    ),
    Kind(
        "gateway_unpriced_model", 403, _DENIED, False, "blocked",
        "The requested model is not available to you.",
        "The model has no price, and `models.unpriced` is `block`.",
        "Ask for another model, or give it a price in the file that models.prices names.",
    ),
    Kind(
        "gateway_body_too_large", 413, _INVALID, False, "blocked",
        "The request body is too large.",
        "The body is above leaks.max_body_bytes, as sent or once decompressed.",
        "Send less at a time, or raise leaks.max_body_bytes.",
    ),
    Kind(
        "gateway_unsupported_encoding", 415, _INVALID, False, "blocked",
        "The request's content-encoding is not supported.",
        "An unknown content-encoding, or several on top of one another.",
        "Send the body plain, or with one of gzip, deflate, br, zstd.",
    ),
    Kind(
        "gateway_unreadable_body", 400, _INVALID, False, "blocked",
        "We could not parse the body of your request.",
        "The body does not decode, or is not what its content-type says.",
        "Compare the body with its content-type and content-encoding.",
    ),
    Kind(
        "gateway_store_unavailable", 503, _SERVER, True, "error",
        "The server had an error while processing your request. Please try again shortly.",
        "The store that limits and budgets are kept in does not answer, and "
        "`limits.on_store_error` is `closed`; or a hard budget that holds for the call cannot be "
        "read.",
        "Look after the store that limits.store names (for budgets without one: log.database); it "
        "is tried again by itself.",
    ),
    Kind(
        "project_spend_limit_exceeded", 429, "insufficient_quota", False, "over_budget",
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "A hard budget of gateway.yaml is used up, or what is left of it does not hold this call.",
        "Wait until its period ends, raise it for a while with `openai-gateway budgets raise`, or "
        "change its `usd` in gateway.yaml.",
    ),
    Kind(
        "rate_limit_exceeded", 429, "requests", True, "throttled",
        "Rate limit reached. Please try again later.",
        "One of our own limits (limits.rules, .profile or .tier) is reached; the message is "
        "OpenAI's. For a limit of tokens the type is `tokens`. `x-should-retry` is false where the "
        "wait is above 60 s, and where the call asks for more than the whole limit holds.",
        "Wait as `retry-after-ms` says; a request that is too large needs a smaller input or "
        "maximum of output, or a higher limit.",
    ),
    Kind(
        "gateway_upstream_unreachable", 502, _SERVER, True, "error",
        "The server could not be reached. Please try again later.",
        "The upstream could not be reached, its certificate was not accepted, or it broke off "
        "before it had answered.",
        "Check the gateway's own way out: DNS, upstream.proxy, upstream.ca_file.",
    ),
    Kind(
        "gateway_upstream_timeout", 504, _SERVER, True, "error",
        "The server did not answer in time. Please try again later.",
        "The upstream gave no answer within upstream.timeout_s.",
        "Raise upstream.timeout_s, or ask for less at a time.",
    ),
    Kind(
        "gateway_not_ready", 503, _SERVER, True, "error",
        "The server is starting or shutting down. Please try again shortly.",
        "The gateway is starting, or draining before it stops.",
        "Try again; /readyz tells when.",
    ),
    Kind(
        "gateway_internal_error", 503, _SERVER, False, "error",
        "The server had an error while processing your request. Sorry about that!",
        "Something inside the gateway failed; the call was refused, never passed.",
        "Look into the gateway's log for the id; please report it.",
    ),
)  # fmt: skip

CATALOGUE: Final = {kind.code: kind for kind in _KINDS}


def refusal(
    code: str,
    message: str = "",
    *,
    param: str | None = None,
    reason: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    type_: str = "",
    retry: bool | None = None,
    public: str = "",
) -> Refusal:
    """A refusal of the catalogue. `message` says what, which (masked), where and the fix.

    `type_` and `retry` only where an entry says that they differ from call to call.
    """
    kind = CATALOGUE[code]
    return Refusal(
        code=code,
        status=kind.status,
        type=type_ or kind.type,
        message=message or f"{kind.meaning} {kind.fix}",
        retry=kind.retry if retry is None else retry,
        outcome=kind.outcome,
        param=param,
        reason=reason,
        headers=kind.headers + headers,
        public=public,
    )


def public(refused: Refusal) -> Refusal:
    """The same refusal in words that name nothing of ours; codes stay."""
    kind = CATALOGUE[refused.code]
    return Refusal(
        refused.code, refused.status, refused.type, refused.public or kind.public, refused.retry,
        refused.outcome, None, refused.reason, refused.headers,
    )  # fmt: skip


def envelope(refused: Refusal) -> bytes:
    """OpenAI's error body."""
    return orjson.dumps({"error": error(refused)})


def error(refused: Refusal) -> dict[str, str | None]:
    """The inner object, as the envelope, stream events and WebSocket events carry it."""
    return {
        "message": refused.message,
        "type": refused.type,
        "param": refused.param,
        "code": refused.code,
    }


def headers(refused: Refusal, call_id: str) -> tuple[tuple[str, str], ...]:
    """What goes with every refusal; `call_id` is the row's id."""
    return (
        JSON,
        ("x-request-id", call_id),
        ("x-gateway-request-id", call_id),
        ("x-should-retry", "true" if refused.retry else "false"),
        *refused.headers,
    )


def code_of(body: bytes, status: int) -> str:
    """The code of OpenAI's error answer, else its type, else the status: the label of a metric."""
    try:
        found = orjson.loads(body)["error"]
        named = found.get("code") or found.get("type")
    except (ValueError, KeyError, TypeError, AttributeError):
        named = None
    return named if isinstance(named, str) else str(status)
