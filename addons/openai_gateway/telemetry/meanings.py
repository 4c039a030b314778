"""What each metric means, in the words that /metrics and docs/metrics.md show."""

from typing import Final

REQUESTS: Final = "Calls that ended, refused ones included, by what became of them."
SWAPS: Final = "Calls that left with a staging key in place of the client's."
KEY_REJECTIONS: Final = "Calls refused for their credential."
KEY_LEAKS: Final = (
    "Calls (place=request) and frames on a WebSocket refused for a production key out of its place."
)
UPSTREAM_FAILURES: Final = (
    "Calls that the upstream failed: OpenAI's error code, or timeout, connect, tls, protocol."
)
INTERNAL_ERRORS: Final = (
    "Faults inside the gateway. On the way to OpenAI each refused its call; on the way back "
    "(stream, settle, record, shutdown) one answer or its books suffered. Alert on any."
)
RELOADS: Final = "Times that a changed gateway.yaml was read again."
RELOADED: Final = "1 if the last gateway.yaml that was read is in force, 0 if it was refused."
RELOADED_AT: Final = "When the configuration in force was read, in seconds since the epoch."
READY: Final = "1 while /readyz says 200, else 0."
AUTHORITY_END: Final = (
    "When the certificate authority that clients trust ends, in seconds since the epoch."
)
PRICES_DAY: Final = (
    "The day that the list of prices in force is of, in seconds since the epoch; with "
    "models.prices the later of the two lists'."
)
TOKENS: Final = (
    "Tokens by kind; the kinds are disjoint, so adding them up counts each token once. The call "
    "log keeps OpenAI's nesting: cached inside input, reasoning inside output."
)
ANOMALIES: Final = (
    "Calls whose usage held what none should: a number of a wrong type, negative or absurd "
    "(capped), a part above its whole, a sum that is none."
)
LEAKS: Final = (
    "Secrets found on their way out, or in answers, by rule; `over-budget` is what could not be "
    "decoded within its bounds. Never the value."
)
THROTTLED: Final = (
    "Calls above a limit, by the limit: rejected, delayed, or with observe would_reject."
)
CAPACITY: Final = "What a limit holds when it is full, by what it is per; `all` where it is not."
REMAINING: Final = "What is left of it, when a call last asked."
UPSTREAM_REMAINING: Final = "What OpenAI last said is left of its own limits."
STORE_ERRORS: Final = "Questions that the shared store left unanswered, by the policy for them."
BUDGET_LIMIT: Final = "What may be spent in the period, in US dollars; with an override, that."
BUDGET_USED: Final = "What has been spent in it so far."
BUDGET_RESET: Final = "When the period ends, in seconds since the epoch; 0 where it never does."
BUDGET_SPEND: Final = "What calls through this gateway were booked with, in US dollars."
WEBHOOKS: Final = "Alerts of budgets by what became of them, each once."
SUBSTITUTIONS: Final = "Calls that left with a cheaper model than they asked for."
KEPT: Final = "Calls that kept the model that they asked for, by what forbade the cheaper one."
AVOIDED: Final = (
    "What the same use of the models that were asked for would have cost more, at list prices."
)
COST: Final = "What the calls cost at OpenAI's list prices (rules/prices.yaml)."
UNITS: Final = "What is billed but is no token: seconds, characters, images, searches."
UNPRICED: Final = "Calls of models without a price; their cost is unknown, not 0."
MISSING: Final = "Calls whose usage OpenAI did not tell; an estimate stands in where one can."
IN_PROGRESS: Final = "Calls under way."
DURATION: Final = "From the request's head to the end of its answer."
UPSTREAM_DURATION: Final = "The share of it that the upstream took."
FIRST_EVENT: Final = "From the request's head to the first event of a streamed answer."
OVERHEAD: Final = (
    "The gateway's own share: total less the upstream's and less injected delays. "
    "phase=request is the way there, phase=response the way back."
)
INJECTED: Final = (
    "Delays added on purpose: shape.latency, slow_stream, timeout, and waits for a limit. Calls "
    "that were not delayed are not counted."
)
FAULTS: Final = "Failures made on purpose (shape.faults), by kind."
LOG_RECORDS: Final = (
    "Rows of the call log: written, or dropped (lost), each once; failed: those that could not be "
    "written at the first try."
)
LOG_BODIES: Final = (
    "Bodies that log.bodies keeps: written; dropped, as too many waited; failed, as they could not "
    "be made fit to be kept."
)
LOG_QUEUE: Final = "Rows of the call log that wait to be written."
PASSTHROUGH: Final = "Blind tunnels to the hosts of `passthrough`, by what became of them."
OVERFLOWS: Final = "Label values turned into `other`, as metrics.max_series was reached."
BUILD: Final = "Versions of the gateway, mitmproxy and Python; always 1."
