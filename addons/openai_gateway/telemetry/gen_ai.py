"""The same calls under OpenTelemetry's names (`metrics.gen_ai`), for dashboards that know no other.

Names, labels and buckets: open-telemetry/semantic-conventions-genai (status Development), in the
form that Prometheus gives them. What a call does not have is "", as exporters leave it out.
"""

from typing import Final

from prometheus_client import Histogram

from openai_gateway.core.call import Call
from openai_gateway.telemetry.families import Families
from openai_gateway.telemetry.labels import UPSTREAM_ERRORS, Family, Labels, among

PREFIX: Final = "gen_ai_client_"
PROVIDER: Final = "openai"
TOKENS: Final = tuple(float(4**power) for power in range(14))
# The convention's, and three above them: a call that reasons takes minutes.
SECONDS: Final = tuple(round(0.01 * 2**power, 2) for power in range(17))
OPERATIONS: Final = {
    "chat.create": "chat",
    "responses.create": "chat",
    "responses.ws": "chat",
    "embeddings.create": "embeddings",
    "completions.create": "text_completion",
}
"""By endpoint; the convention has no name for what the others do."""

USAGE: Final = (
    "Tokens of a call, input and output apart: cached ones inside input, reasoning inside output, "
    "as the convention counts."
)
DURATION: Final = "From the request's head to the end of its answer, for calls that left."
FIRST_CHUNK: Final = "From the request's head to the first event of a streamed answer."
_COMMON: Final = (
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
)
_FOLDED: Final = ("operation", "provider", "model", "model", "last")


class GenAi:
    """The families of the convention, in the registry of the others."""

    def __init__(self, families: Families) -> None:
        def family(
            name: str, words: str, buckets: tuple[float, ...], last: str
        ) -> Family[Histogram]:
            return families.histogram(
                name, words, buckets, *_COMMON, last, prefix=PREFIX, folded=_FOLDED
            )

        self._tokens = family("token_usage", USAGE, TOKENS, "gen_ai_token_type")
        self._duration = family("operation_duration_seconds", DURATION, SECONDS, "error_type")
        self._first_chunk = family(
            "operation_time_to_first_chunk_seconds", FIRST_CHUNK, SECONDS, "error_type"
        )

    def record(self, call: Call, labels: Labels, exemplar: dict[str, str]) -> None:
        """What a finished call adds; one that did not leave adds nothing."""
        operation = OPERATIONS.get(call.endpoint)
        if operation is None or not call.admitted:
            return
        asked, answered = (
            labels.model(name) if name is not None else ""
            for name in (call.model_requested, call.model_response)
        )
        common = (operation, PROVIDER, asked, answered)
        self._count(call, common, exemplar)
        self._time(call, common, exemplar)

    def _count(self, call: Call, common: tuple[str, ...], exemplar: dict[str, str]) -> None:
        if call.usage is None:
            return
        bills = (call.usage, *call.usage.parts)
        for kind, count in (
            ("input", sum(bill.input_tokens for bill in bills)),
            ("output", sum(bill.output_tokens for bill in bills)),
        ):
            if count:
                self._tokens.at(*common, kind).observe(count, exemplar)

    def _time(self, call: Call, common: tuple[str, ...], exemplar: dict[str, str]) -> None:
        """A socket's life is no operation's, and its responses have no time of their own."""
        if call.websocket or not call.duration_ms:
            return
        failed = call.upstream_error
        error = "" if failed is None else among(UPSTREAM_ERRORS, failed, "_OTHER")
        self._duration.at(*common, error).observe(call.duration_ms / 1000, exemplar)
        if call.ttft_ms is not None:
            self._first_chunk.at(*common, error).observe(call.ttft_ms / 1000, exemplar)
