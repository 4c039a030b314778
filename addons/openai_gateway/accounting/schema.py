"""The tables: `calls`, one row a call; `charges`, what was charged and what will be; `bodies`;
`spend`, what budgets have spent, and `overrides`, who has raised one.

Here stands what the newest looks like; steps.py makes it, and the view `request_log`.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA: Final = MetaData()

# As OpenAI counts them: what was cached stands inside input, reasoning inside output.
TOKENS: Final = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
    "image_output_tokens",
    "total_tokens",
)

# DateTime is kept by SQLite as the text `2026-11-24 12:00:00.250000`, the form of its own date
# functions: it sorts, and `started_at > datetime('now', '-1 hour')` is right ('T' in place of the
# blank would make that wrong). PostgreSQL gets a real timestamptz, which its dashboards need.
CALLS: Final = Table(
    "calls",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("environment", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("model_requested", Text),
    Column("model_sent", Text),
    Column("model_response", Text),
    Column("service_tier", Text),
    Column("stream", Boolean, nullable=False),
    Column("status", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("error_code", Text),
    *(Column(name, BigInteger) for name in TOKENS),
    Column("billed_units", Text),
    Column("cost_nano_usd", BigInteger),
    Column("usage_source", Text, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("upstream_ms", Float),
    Column("ttft_ms", Float),
    Column("overhead_ms", Float, nullable=False),
    Column("injected_ms", Float, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),
    Column("response_bytes", BigInteger, nullable=False),
    Column("leaks", Text),
    Column("fault", Text),
    Column("features", Text),
    Column("upstream_limits", Text),
    Column("openai_request_id", Text),
    Column("sdk", Text),
    Column("trace", Text, nullable=False),
    # One index only: every report asks for a window of time, and each further one costs each row.
    Index("calls_started_at", "started_at"),
)

VERSIONS: Final = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
)

# The ids of what was charged already (true) or is still to be (false): rows do not tell, and a
# response that runs in the background may end after a restart, or be read through another gateway.
# `call` is the one that was charged where several might have been, `budgets` (JSON) which of them
# wait for the bill.
CHARGES: Final = Table(
    "charges",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("charged", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("call", String(64)),
    Column("budgets", Text),
    Index("charges_at", "at"),
)

# Off by default (`log.bodies`): what went over the wire, after redaction, cut to a size.
BODIES: Final = Table(
    "bodies",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("side", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("cut", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("bodies_at", "at"),
)

# The sums of budgets, each process' own (`source`): a budget's spend is the sum of its rows.
SPEND: Final = Table(
    "spend",
    METADATA,
    Column("budget", String(64), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("period_start", DateTime(timezone=True), primary_key=True),
    Column("source", String(16), primary_key=True),
    Column("spent_nano_usd", BigInteger, nullable=False),
    Column("alerted", Text, nullable=False),
)

# Only added to: the log of who has raised which budget, until when.
OVERRIDES: Final = Table(
    "overrides",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("budget", Text, nullable=False),
    Column("nano_usd", BigInteger, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # NULL where an earlier version wrote the row
    Column("from_nano_usd", BigInteger),
    Column("command", Text),
)
