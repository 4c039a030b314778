"""What may be sent and spent: leaks, limits, budgets, models and alerts."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from openai_gateway.config.kinds import (
    ONE_OR_MORE,
    WORD,
    Day,
    Glob,
    Mode,
    Name,
    PathText,
    Phrase,
    Section,
    Sha256,
    Switch,
    Zone,
    one_or_more_schema,
    wrong,
)
from openai_gateway.config.places import StoreUrl, Webhook, literal

Globs = Annotated[tuple[Glob, ...], ONE_OR_MORE, one_or_more_schema("name or glob")]
_ALERT_AT: Final = (0.5, 0.8, 0.95, 1.0)
_AMOUNTS: Final = ("rpm", "tpm", "rpd", "tpd", "ipm", "concurrency")


class Match(Section):
    """Which calls: a rule holds where each field that it names holds; a missing one matches all."""

    key: Globs | None = Field(None, description="Names or globs of mappings.")
    model: Globs | None = Field(None, description="Names or globs of models.")
    client: Globs | None = Field(None, description="Names or globs of clients.")
    endpoint: Globs | None = Field(
        None, description="Names or globs of endpoints (rules/endpoints.yaml)."
    )


def named(kind: str) -> BeforeValidator:
    """Entries without a name get one from their place in the list."""

    def name(value: Any) -> Any:
        if not isinstance(value, tuple):
            return value
        return tuple(
            {"name": f"{kind}-{number}"} | entry if isinstance(entry, dict) else entry
            for number, entry in enumerate(value, 1)
        )

    return BeforeValidator(name)


def _distinct(entries: Any) -> Any:
    names = [entry.name for entry in entries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise wrong(f"has two entries named `{twice}`; names are unique")
    return entries


DISTINCT: Final = AfterValidator(_distinct)


class LeakException(Section):
    """A finding that is let through."""

    rule: Glob = Field(description="The rule's id.")
    value_sha256: Sha256 | None = Field(None, description="The sha256 of the value.")
    path: Phrase | None = Field(
        None, description="A glob over places, such as messages[*].content or files/*.env."
    )
    reason: Phrase | None = Field(None, description="Why it is no leak.")
    until: Day | None = Field(None, description="The last day on which the exception holds.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.value_sha256 and self.path:
            raise wrong("names both value_sha256 and path; keep one, or write two entries")
        return self


class Leaks(Section):
    """What must not leave."""

    mode: Mode = Field("enforce", description="off, observe (count and log only) or enforce.")
    rules: tuple[PathText, ...] = Field(
        ("rules/secrets.yaml",),
        description="Rule files: own format, or a gitleaks TOML file. rules/pii.yaml ships too.",
    )
    action: Annotated[Literal["block", "redact", "report"], WORD] = Field(
        "block", description="For rules that name none."
    )
    responses: Annotated[Literal["off", "report", "redact"], WORD] = Field(
        "report", description="What is done with findings in answers."
    )
    on_budget: Annotated[Literal["report", "block"], WORD] = Field(
        "report", description="What could not be decoded within its bounds; counted either way."
    )
    allow: tuple[LeakException, ...] = Field((), description="Findings that are let through.")
    max_body_bytes: int = Field(
        67_108_864,
        ge=1,
        le=2**31,
        description="The largest request body, as sent and once decompressed.",
    )


class LimitRule(Section):
    """One limit; the first rule that names a limit wins for that limit and model."""

    name: Name = Field(
        description="Its name in messages; unique.", json_schema_extra={"default": "rule-N"}
    )
    match: Match = Field(Match(), description="Which calls it counts.")
    per: tuple[Annotated[Literal["key", "model", "client", "endpoint"], WORD], ...] = Field(
        (), description="A bucket for each; left out: one bucket for all."
    )
    rpm: int | None = Field(None, ge=1, description="Requests a minute.")
    tpm: int | None = Field(None, ge=1, description="Tokens a minute.")
    rpd: int | None = Field(None, ge=1, description="Requests a day.")
    tpd: int | None = Field(None, ge=1, description="Tokens a day.")
    ipm: int | None = Field(None, ge=1, description="Images a minute.")
    concurrency: int | None = Field(None, ge=1, description="Calls under way at once.")

    @model_validator(mode="after")
    def _some_limit(self) -> Self:
        if all(getattr(self, name) is None for name in _AMOUNTS):
            raise wrong(f"limits nothing; give it at least one of {', '.join(_AMOUNTS)}")
        return self


class Limits(Section):
    """How much may be sent at a time."""

    mode: Mode = Field("enforce", description="off, observe (count and log only) or enforce.")
    store: StoreUrl = Field(
        literal("memory"),
        description="memory, or for several gateways redis://, redis+sentinel:// or "
        "redis+cluster:// (rediss: with TLS); a URL with a password by reference.",
    )
    on_store_error: Annotated[Literal["local", "closed"], WORD] = Field(
        "local", description="local: own buckets, limits divided by `instances`; closed: refuse."
    )
    instances: int = Field(
        1,
        ge=1,
        le=10_000,
        description="How many gateways share the store; the workers of each count by themselves.",
    )
    on_limit: Annotated[Literal["reject", "wait"], WORD] = Field(
        "reject", description="What happens to a call above a limit."
    )
    max_wait_s: float = Field(30.0, ge=0, le=3600, description="The longest wait with `wait`.")
    tier: int | None = Field(
        None, ge=1, le=5, description="OpenAI's published limits of that tier for every model."
    )
    profile: PathText | None = Field(
        None, description="A file written by `openai-gateway profile learn`."
    )
    rules: Annotated[tuple[LimitRule, ...], named("rule"), DISTINCT] = Field(
        (), description="Own limits; they come before `profile`, and `profile` before `tier`."
    )


class Budget(Section):
    """How much may be spent in a period."""

    name: Name = Field(description="The label `budget`; unique.")
    usd: float = Field(gt=0, le=1e9, description="The amount, in US dollars.")
    period: Annotated[Literal["hour", "day", "week", "month", "total"], WORD] = Field(
        description="After which spend starts again from nothing."
    )
    timezone: Zone = Field("UTC", description="In which days, weeks and months begin.")
    match: Match = Field(Match(), description="Whose cost is its spend.")
    alert_at: tuple[Annotated[float, Field(gt=0, le=10)], ...] = Field(
        _ALERT_AT, description="Shares of `usd` at which the webhook is told."
    )
    webhook: Webhook | None = Field(
        None, description="A reference to a URL, told in place of `alerts.webhooks`."
    )
    hard: Switch = Field(True, description="Whether calls beyond it are refused.")
    reserve: Annotated[Literal["expected", "worst"], WORD] = Field(
        "expected",
        description="expected: what the model lately used; worst: the most that a call can cost.",
    )


Budgets = Annotated[tuple[Budget, ...], DISTINCT]


class Models(Section):
    """Which model is sent."""

    mode: Mode = Field(
        "enforce",
        description="off, observe (count and log only) or enforce.",
        json_schema_extra={"x-production": "off"},
    )
    substitute: Mapping[Glob, Glob] = Field(
        default_factory=dict,
        description="From models (or globs) to the model that is sent; the most exact wins.",
    )
    deny: tuple[Glob, ...] = Field((), description="Globs, of the model that would be sent.")
    unpriced: Annotated[Literal["allow", "assume_max", "block"], WORD] = Field(
        "allow",
        description="What happens to a model without a price; assume_max: allowed, and budgets are "
        "charged at the dearest price of the list.",
    )
    prices: PathText | None = Field(
        None,
        description="A file of your own prices, in the form of rules/prices.yaml: its entry of a "
        "model takes the place of the whole entry there.",
    )


class Alerts(Section):
    """Who is told."""

    webhooks: tuple[Webhook, ...] = Field(
        (),
        description="References to URLs; alerts of budgets that name no webhook of their own are "
        "posted there, as Slack-compatible JSON.",
    )
