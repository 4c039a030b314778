"""docs/call-log.md has every column, and each of its queries finds what it asks for."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openai_gateway.accounting.schema import CALLS
from tests.support.call_log import made_row, write

PAGE = (Path(__file__).parents[2] / "docs/call-log.md").read_text()
QUERIES = re.findall(r"^([^\n]+\?)\n\n```sql\n([^`]+)^```$", PAGE, re.MULTILINE)
NOW = datetime.now(UTC)


def test_every_column_is_told_in_the_order_of_the_table() -> None:
    table = PAGE[PAGE.index("| column | meaning |") :].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [c.name for c in CALLS.c]


def test_there_are_ten_queries() -> None:
    assert len(QUERIES) == 10


@pytest.fixture
def log(tmp_path: Path) -> Path:
    trace = '[{"stage":"route","verdict":"pass","us":7}]'
    used = {"input_tokens": 10, "cached_input_tokens": 4, "output_tokens": 6, "trace": trace,
            "cost_nano_usd": 5, "usage_source": "reported", "reasoning_tokens": 5,
            "stream": True, "ttft_ms": 3.5}  # fmt: skip
    nothing = dict.fromkeys(used)
    rows = [
        {**used},
        {**nothing, "usage_source": "estimated", "stream": False, "trace": "[]"},
        {**nothing, "usage_source": "none", "stream": False, "trace": trace, "cost_nano_usd": 0,
         "outcome": "rejected_key", "status": 401, "error_code": "gateway_unknown_key"},
        {**nothing, "usage_source": "none", "stream": False, "trace": trace, "cost_nano_usd": 0,
         "status": 500, "error_code": "server_error"},
    ]  # fmt: skip
    return write(tmp_path, [made_row(NOW, **row) for row in rows])


FOUND = {
    "What did each key cost on each day?": [5e-9],
    "Which clients are the dearest of the last day?": [5e-9],
    "Which models have no price, and how many calls does the cost leave out?": [1],
    "What share of the input came from the cache?": [40.0],
    "How much of the cost is an estimate?": [None, 0.0, 5e-9],
    "What was refused, and why?": [1],
    "Which errors did OpenAI answer with?": [1],
    "How long is the wait for the first token?": [3.5],
    "Which calls thought more than they said?": [5e-9],
    "Which stage takes the most time?": [7.0],
}


@pytest.mark.parametrize(("question", "query"), QUERIES, ids=[found[0] for found in QUERIES])
def test_each_query_answers_its_question(log: Path, question: str, query: str) -> None:
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    last = sorted((row[-1] for row in rows), key=lambda value: (value is not None, value))
    assert last == FOUND[question]
