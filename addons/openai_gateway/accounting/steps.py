"""What each step towards the newest schema does, as it was released: never edited, only added to.

Frozen SQL and not schema.py's tables: those change, and a database made by an earlier version must
come to the same schema as a new one.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, text

type Step = Callable[[Connection], None]

# SQLite's name decides nothing; it is what SQLAlchemy reads text back into a time by.
_TIME: Final = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}

_CALLS: Final = """
CREATE TABLE calls (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    started_at {time} NOT NULL,
    environment TEXT NOT NULL,
    "key" TEXT NOT NULL,
    client TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    model_requested TEXT,
    model_sent TEXT,
    model_response TEXT,
    service_tier TEXT,
    stream BOOLEAN NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error_code TEXT,
    input_tokens BIGINT,
    cached_input_tokens BIGINT,
    cache_write_tokens BIGINT,
    output_tokens BIGINT,
    reasoning_tokens BIGINT,
    audio_input_tokens BIGINT,
    audio_output_tokens BIGINT,
    image_input_tokens BIGINT,
    image_output_tokens BIGINT,
    total_tokens BIGINT,
    billed_units TEXT,
    cost_nano_usd BIGINT,
    usage_source TEXT NOT NULL,
    duration_ms FLOAT NOT NULL,
    upstream_ms FLOAT,
    ttft_ms FLOAT,
    overhead_ms FLOAT NOT NULL,
    injected_ms FLOAT NOT NULL,
    request_bytes BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    leaks TEXT,
    fault TEXT,
    features TEXT,
    upstream_limits TEXT,
    openai_request_id TEXT,
    sdk TEXT,
    trace TEXT NOT NULL
)
"""

_REQUEST_LOG: Final = """
CREATE VIEW request_log AS
SELECT started_at AS "timestamp",
       environment,
       model_sent AS model,
       input_tokens AS prompt_tokens,
       output_tokens AS completion_tokens,
       cost_nano_usd / 1000000000.0 AS total_cost
FROM calls
"""

_CHARGES: Final = """
CREATE TABLE charges (
    id TEXT NOT NULL PRIMARY KEY,
    charged BOOLEAN NOT NULL,
    at {time} NOT NULL
)
"""

_BODIES: Final = """
CREATE TABLE bodies (
    id VARCHAR(64) NOT NULL,
    side TEXT NOT NULL,
    at {time} NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    cut BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (id, side)
)
"""

_SPEND: Final = """
CREATE TABLE spend (
    budget VARCHAR(64) NOT NULL,
    period VARCHAR(8) NOT NULL,
    period_start {time} NOT NULL,
    source VARCHAR(16) NOT NULL,
    spent_nano_usd BIGINT NOT NULL,
    alerted TEXT NOT NULL,
    PRIMARY KEY (budget, period, period_start, source)
)
"""

_OVERRIDES: Final = """
CREATE TABLE overrides (
    number BIGINT NOT NULL PRIMARY KEY,
    budget TEXT NOT NULL,
    nano_usd BIGINT NOT NULL,
    until {time} NOT NULL,
    "by" TEXT NOT NULL,
    at {time} NOT NULL
)
"""


def _step(*statements: str) -> Step:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement.format(time=_TIME[connection.dialect.name])))

    return run


STEPS: Final[tuple[Step, ...]] = (
    _step(_CALLS, "CREATE INDEX calls_started_at ON calls (started_at)", _REQUEST_LOG),
    _step(_CHARGES, "CREATE INDEX charges_at ON charges (at)"),
    _step(_BODIES, "CREATE INDEX bodies_at ON bodies (at)"),
    _step(_SPEND, _OVERRIDES),
    _step(
        "ALTER TABLE overrides ADD COLUMN from_nano_usd BIGINT",
        "ALTER TABLE overrides ADD COLUMN command TEXT",
    ),
    _step(
        "ALTER TABLE charges ADD COLUMN call VARCHAR(64)",
        "ALTER TABLE charges ADD COLUMN budgets TEXT",
    ),
)
