"""gateway.yaml as a whole, and the sections that decide where calls go, as whom, and their log."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, model_validator

from openai_gateway.config.kinds import (
    ONE_OR_MORE,
    WORD,
    Glob,
    HeaderText,
    Key,
    KeyRef,
    Name,
    PathText,
    Ref,
    Section,
    Switch,
    one_or_more_schema,
)
from openai_gateway.config.places import (
    DatabaseUrl,
    Listen,
    ListenOn,
    Network,
    ProxyUrl,
    Tunnel,
    literal,
)
from openai_gateway.config.policy import Alerts, Budgets, Leaks, Limits, Models
from openai_gateway.config.shaping import Checklist, Replay, Shape

PRODUCTION_KEY: Final = "OPENAI_API_KEY_PRODUCTION"
STAGING_KEY: Final = "OPENAI_API_KEY_STAGING"

Environment = Annotated[Literal["staging", "production"], WORD]
UpstreamHost = Annotated[
    Literal[
        "api.openai.com",
        "us.api.openai.com",
        "eu.api.openai.com",
        "ae.api.openai.com",
        "au.api.openai.com",
        "in.api.openai.com",
        "jp.api.openai.com",
    ],
    WORD,
]
_PRIVATE: Final = tuple(
    ip_network(text)
    for text in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)


Networks = Annotated[tuple[Network, ...], ONE_OR_MORE, one_or_more_schema("network")]


class Upstream(Section):
    """Where calls go, and how the gateway gets there."""

    hosts: tuple[UpstreamHost, ...] = Field(
        ("api.openai.com",),
        min_length=1,
        description="OpenAI's hosts that clients may call; one and the same for keys, leaks, "
        "limits and cost.",
    )
    proxy: ProxyUrl | None = Field(
        None,
        description="A corporate egress proxy: http://HOST:PORT; with a user and password as "
        "http://env:NAME@HOST:PORT (user:password in NAME) or env:NAME (the whole URL in NAME).",
    )
    ca_file: PathText | None = Field(
        None,
        description="PEM bundle trusted for the upstream; null: the bundle of the certifi package.",
    )
    timeout_s: float = Field(
        600.0, gt=0, le=86400, description="How long the upstream may take to answer."
    )


class Clients(Section):
    """Who may use the gateway, and what each is called in the log."""

    allow: tuple[Network, ...] = Field(
        _PRIVATE, description="Networks that may connect; others are cut at connect."
    )
    names: Mapping[Name, Networks] = Field(
        default_factory=dict,
        description="The `client` in log rows, by network (one or a list); else the address.",
    )
    credentials: Mapping[Name, Ref] = Field(
        default_factory=dict,
        description="Where set, each client must send Proxy-Authorization "
        "(HTTPS_PROXY=http://NAME:SECRET@HOST:PORT); its user is the `client`.",
    )


class KeyMapping(Section):
    """Which production keys become which staging key."""

    name: Name = Field("default", description="The label `key` in metrics and log; unique.")
    production: tuple[Key, ...] = Field(
        min_length=1,
        description="The keys that clients send: references, or sha256:HEX so that the gateway "
        "never holds the key.",
        json_schema_extra={"default": [f"env:{PRODUCTION_KEY}"]},
    )
    staging: KeyRef | None = Field(
        None,
        description="The key that is sent on; may be left out only in production, where the "
        "client's own key is sent on.",
    )
    organization: HeaderText | None = Field(
        None, description="Sent as OpenAI-Organization; null drops the client's header."
    )
    project: HeaderText | None = Field(
        None, description="Sent as OpenAI-Project; null drops the client's header."
    )

    @model_validator(mode="before")
    @classmethod
    def _usual_key(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {"production": (f"env:{PRODUCTION_KEY}",)} | dict(data)


DEFAULT_MAPPING: Final[dict[str, Any]] = {
    "name": "default",
    "production": (f"env:{PRODUCTION_KEY}",),
    "staging": f"env:{STAGING_KEY}",
}


class Keys(Section):
    """Which key may come, and which one leaves."""

    mappings: tuple[KeyMapping, ...] = Field(
        min_length=1,
        description="From production keys to staging keys.",
        json_schema_extra={"default": [{**DEFAULT_MAPPING}]},
    )
    staging: Annotated[Literal["accept", "reject"], WORD] = Field(
        "accept", description="A client that already sends a mapped staging key."
    )
    unknown: Name = Field(
        "reject",
        description="`reject`, or the name of a mapping that stands in for unknown keys.",
    )

    @model_validator(mode="before")
    @classmethod
    def _usual_mapping(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {"mappings": (DEFAULT_MAPPING,)} | dict(data)


class Endpoints(Section):
    """Which of OpenAI's endpoints may be called."""

    unknown: Annotated[Literal["allow", "refuse"], WORD] = Field(
        "allow",
        description="A path that rules/endpoints.yaml does not list; swap, leaks and limits hold.",
    )
    allow: tuple[Glob, ...] = Field(
        (),
        description="Names or globs of that file's `opt_in` and `refuse` rows to let through.",
        examples=["fine_tuning.*"],
    )
    refuse: tuple[Glob, ...] = Field((), description="Names or globs of further ones to refuse.")


class Log(Section):
    """The call log: one row a call."""

    database: DatabaseUrl = Field(
        literal("sqlite:///var/calls.db"),
        description="sqlite:///PATH or postgresql+psycopg://…; one with a password by reference.",
    )
    calls: Annotated[Literal["all", "errors"], WORD] = Field(
        "all",
        description="Which calls get a row.",
        json_schema_extra={"x-production": "errors"},
    )
    bodies: Annotated[Literal["off", "errors", "all"], WORD] = Field(
        "off", description="Which bodies are stored, after redaction, in a table of their own."
    )
    retention_days: int = Field(30, ge=1, le=36500, description="How long rows are kept.")
    bodies_retention_days: int = Field(3, ge=1, le=36500, description="How long bodies are kept.")
    bodies_max_bytes: int = Field(
        65536, ge=1, le=2**30, description="Of one stored body; longer ones are cut and marked."
    )
    max_rows: int = Field(5_000_000, ge=1, description="The oldest rows beyond this many go.")


class Tls(Section):
    """Certificates of the metrics port."""

    cert: PathText = Field(description="PEM file with the certificate and its chain.")
    key: PathText = Field(description="PEM file with the private key.")
    client_ca: PathText | None = Field(
        None, description="PEM bundle; where set, scrapers must show a certificate of it."
    )


class Metrics(Section):
    """The port of /metrics, /healthz and /readyz."""

    listen: ListenOn = Field(
        Listen("127.0.0.1", 9464),
        description="Address and port; any other than loopback needs token or tls.",
    )
    token: Ref | None = Field(None, description="Where set, wanted as a bearer token.")
    tls: Tls | None = Field(None, description="Where set, the port speaks HTTPS.")
    max_series: int = Field(
        20_000, ge=100, le=1_000_000, description="Above this many the model's label is `other`."
    )
    gen_ai: Switch = Field(False, description="Also the OpenTelemetry gen_ai_* names.")


class Errors(Section):
    """What refusals tell."""

    detail: Annotated[Literal["full", "public"], WORD] = Field(
        "full",
        description="full: the rule, the limit and the config line; public: what OpenAI's user "
        "would see.",
        json_schema_extra={"x-production": "public"},
    )


class Config(Section):
    """gateway.yaml. Every field is optional but `keys`."""

    environment: Environment = Field(
        "staging", description="Sets the defaults that differ in production."
    )
    allow_exec: Switch = Field(False, description="Whether exec: references may run commands.")
    upstream: Upstream = Upstream()
    passthrough: tuple[Tunnel, ...] = Field(
        (),
        description="Other hosts that clients reach through the same HTTPS_PROXY, as a blind "
        "tunnel: HOST, *.HOST, an address or `*`, with :PORT (443).",
        examples=["errors.example", "*.internal.example:8443"],
    )
    clients: Clients = Clients()
    keys: Keys
    endpoints: Endpoints = Endpoints()
    leaks: Leaks = Leaks()
    limits: Limits = Limits()
    budgets: Budgets = Field((), description="How much may be spent, and who is told.")
    models: Models = Models()
    log: Log = Log()
    metrics: Metrics = Metrics()
    errors: Errors = Errors()
    alerts: Alerts = Alerts()
    shape: Shape = Shape()
    replay: Replay = Replay()
    checklist: Checklist = Field(
        default_factory=dict,
        description="Thresholds of the checklist by id, or `off`.",
    )

    @model_validator(mode="before")
    @classmethod
    def _every_section(cls, data: Any, info: ValidationInfo) -> Any:
        """Sections that are left out are read too, as their defaults depend on the environment."""
        del info
        if not isinstance(data, Mapping):
            return data
        sections: dict[str, Any] = {
            name: {}
            for name, about in cls.model_fields.items()
            if isinstance(about.annotation, type)
            and issubclass(about.annotation, Section)
            and not about.is_required()
        }
        return sections | dict(data)
