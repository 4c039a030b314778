"""How staging is made like production: delays, faults, replay, and the checklist's thresholds."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from openai_gateway.config.kinds import WORD, Glob, Mode, Name, PathText, Section, wrong
from openai_gateway.config.policy import DISTINCT, Match, named

FILE_TAG: Final = "<file>"
TABLE_TAG: Final = "<table>"
OFF_TAG: Final = "<off>"
TAGS: Final = frozenset((FILE_TAG, TABLE_TAG, OFF_TAG))


class Quantiles(Section):
    """Two points of a distribution, in milliseconds."""

    p50: float = Field(ge=0, le=3_600_000, description="Half of the calls take no longer.")
    p95: float = Field(ge=0, le=3_600_000, description="19 of 20 calls take no longer.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.p95 < self.p50:
            raise wrong("has a p95 below its p50; the p95 is the longer one")
        if self.p50 == 0 < self.p95:
            raise wrong("has a p50 of 0 and a p95 above it, which no distribution fits")
        return self


class Latency(Section):
    """How fast a model answers."""

    ttft_ms: Quantiles = Field(description="The time to the first event.")
    tokens_per_s: float | None = Field(None, gt=0, description="How fast tokens follow.")


class FaultRule(Section):
    """A failure that is made on purpose."""

    name: Name = Field(
        description="Its name in rows; unique.", json_schema_extra={"default": "fault-N"}
    )
    match: Match = Field(Match(), description="Which calls it may hit.")
    probability: float = Field(0.01, ge=0, le=1, description="The share of calls that it hits.")
    fault: Annotated[
        Literal[
            "rate_limit",
            "slow_down",
            "quota",
            "server_error",
            "overloaded",
            "timeout",
            "reset",
            "cut_stream",
            "slow_stream",
            "malformed",
        ],
        WORD,
    ] = Field(description="What goes wrong.")
    retry_after_s: float | None = Field(
        None, ge=0, le=86400, description="When to come back, as the answer says it."
    )
    delay_s: float | None = Field(
        None,
        ge=0,
        le=86400,
        description="Of timeout (default upstream.timeout_s) and slow_stream (default 1).",
    )
    after_events: int | None = Field(None, ge=0, description="Of cut_stream; default 1.")


def _file_or_table(value: Any) -> str:
    return FILE_TAG if isinstance(value, str) else TABLE_TAG


def _off_or_table(value: Any) -> str:
    return OFF_TAG if isinstance(value, str) else TABLE_TAG


class Shape(Section):
    """Latency and faults as in production."""

    mode: Mode = Field("off", description="off, observe (count and log only) or enforce.")
    latency: (
        Annotated[
            Annotated[PathText, Tag(FILE_TAG)] | Annotated[Mapping[Glob, Latency], Tag(TABLE_TAG)],
            Discriminator(_file_or_table),
        ]
        | None
    ) = Field(
        None,
        description="A profile file written by `openai-gateway profile learn`, or "
        "{MODEL: {ttft_ms: {p50:, p95:}, tokens_per_s:}}.",
    )
    seed: int | None = Field(
        None, description="An integer makes the sequence of faults and delays repeat."
    )
    faults: Annotated[tuple[FaultRule, ...], named("fault"), DISTINCT] = Field(
        (), description="Failures that are made on purpose."
    )


class Replay(Section):
    """Recorded answers in the upstream's place."""

    mode: Annotated[Literal["off", "record", "replay", "replay_or_forward"], WORD] = Field(
        "off", description="What is done with calls and answers."
    )
    path: PathText = Field("var/replay.db", description="Where recordings are kept.")
    match: tuple[Annotated[Literal["method", "path", "model", "body"], WORD], ...] = Field(
        ("method", "path", "model", "body"),
        min_length=1,
        description="What must be the same for a recording to answer.",
    )
    ignore: tuple[Glob, ...] = Field(
        ("metadata", "user", "safety_identifier", "prompt_cache_key"),
        description="Fields of the body that do not tell two calls apart.",
    )
    pace: Annotated[Literal["fast", "recorded"], WORD] = Field(
        "fast", description="How fast recorded streams are played."
    )


class Check(Section):
    """Thresholds of one id; beside these, thresholds of its own by name, as numbers."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    min_calls: int = Field(20, ge=0, description="From how many calls on the id speaks.")
    baseline: PathText | None = Field(None, description="Of no_drift: a profile or an export.")


CheckId = Annotated[
    Literal[
        "keys_isolated",
        "no_production_key_leaks",
        "no_secret_leaks",
        "usage_complete",
        "all_priced",
        "models_current",
        "output_bounded",
        "retries_honoured",
        "rate_limit_seen",
        "errors_seen",
        "fits_production_limits",
        "budget_kept",
        "streams_finish",
        "latency_realistic",
        "no_drift",
        "no_internal_errors",
        "log_complete",
        "direct_egress_closed",
    ],
    WORD,
]
Checklist = Mapping[
    CheckId,
    Annotated[
        Annotated[Literal["off"], WORD, Tag(OFF_TAG)] | Annotated[Check, Tag(TABLE_TAG)],
        Discriminator(_off_or_table),
    ],
]
