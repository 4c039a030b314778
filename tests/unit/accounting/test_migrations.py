"""The steps to the newest schema: each once, all or none, never on a newer database."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from openai_gateway.accounting.database import connect, locate, prepare
from openai_gateway.accounting.migrations import NewerDatabase, migrate
from openai_gateway.accounting.steps import STEPS


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = locate("sqlite:///calls.db", tmp_path)
    prepare(url)
    return connect(url)


NEWEST = len(STEPS)


def sql(text: str):  # type: ignore[no-untyped-def]  # a step in one line
    return lambda connection: connection.exec_driver_sql(text)


def ask(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.begin() as connection:
        return [tuple(found) for found in connection.exec_driver_sql(query)]


def test_a_new_database_gets_table_view_and_index(engine: Engine) -> None:
    migrate(engine)
    names = ask(engine, "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    assert sorted(names) == [
        ("index", "bodies_at"),
        ("index", "calls_started_at"),
        ("index", "charges_at"),
        ("table", "bodies"),
        ("table", "calls"),
        ("table", "charges"),
        ("table", "overrides"),
        ("table", "schema_version"),
        ("table", "spend"),
        ("view", "request_log"),
    ]


def test_each_step_runs_once_and_later_ones_follow(engine: Engine) -> None:
    migrate(engine)
    migrate(engine)
    migrate(engine, [*STEPS, sql("CREATE TABLE later (x)")])
    migrate(engine, [*STEPS, sql("CREATE TABLE later (x)")])
    assert ask(engine, "SELECT version FROM schema_version ORDER BY 1") == [
        (version,) for version in range(1, NEWEST + 2)
    ]


def test_a_log_of_the_first_version_keeps_its_rows_and_gets_what_is_new(engine: Engine) -> None:
    migrate(engine, STEPS[:1])
    with engine.begin() as connection:
        insert(connection, "gw_1", 5)
    migrate(engine)
    assert ask(engine, "SELECT id, cost_nano_usd FROM calls") == [("gw_1", 5)]
    assert ask(engine, "SELECT count(*) FROM charges") == [(0,)]


def test_a_step_that_fails_leaves_everything_as_it_was(engine: Engine) -> None:
    migrate(engine)
    broken = [*STEPS, sql("CREATE TABLE half (x)"), sql("CREATE TABLE calls (x)")]
    with pytest.raises(OperationalError):
        migrate(engine, broken)
    assert ask(engine, "SELECT max(version) FROM schema_version") == [(NEWEST,)]
    assert ask(engine, "SELECT name FROM sqlite_master WHERE name = 'half'") == []


def test_a_newer_database_is_refused_and_left_alone(engine: Engine) -> None:
    migrate(engine, [*STEPS, sql("CREATE TABLE later (x)")])
    told = rf"calls\.db has schema version {NEWEST + 1}, .* up to {NEWEST}: run the"
    with pytest.raises(NewerDatabase, match=told):
        migrate(engine)
    assert ask(engine, "SELECT count(*) FROM calls") == [(0,)]


def test_gateways_that_start_at_once_on_one_file_make_one_schema(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from openai_gateway.accounting.table import CallsTable\n"
        "sys.stdin.readline()\n"
        "CallsTable('sqlite:///var/calls.db', Path(sys.argv[1])).open()\n"
    )
    addons = Path(__file__).parents[3] / "addons"
    starting = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(addons)},
            text=True,
        )
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in starting]
    assert [process.returncode for process in starting] == [0, 0, 0, 0], said
    engine = connect(locate("sqlite:///var/calls.db", tmp_path))
    assert ask(engine, "SELECT max(version), count(*) FROM schema_version") == [(NEWEST, NEWEST)]


def test_the_view_tells_cost_in_dollars_and_null_where_unpriced(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        insert(connection, "gw_1", 1_234_567_890)
        insert(connection, "gw_2", None)
    assert ask(engine, "SELECT * FROM request_log ORDER BY total_cost DESC") == [
        ("2026-11-24 12:00:00.250000", "staging", "gpt-5-mini", 1200, 34, 1.23456789),
        ("2026-11-24 12:00:00.250000", "staging", "gpt-5-mini", 1200, 34, None),
    ]


def insert(connection: Connection, call_id: str, cost: int | None) -> None:
    connection.exec_driver_sql(
        "INSERT INTO calls (id, started_at, environment, key, client, endpoint, method, path,"
        " model_sent, stream, status, outcome, input_tokens, output_tokens, cost_nano_usd,"
        " usage_source, duration_ms, overhead_ms, injected_ms, request_bytes, response_bytes,"
        " trace) VALUES (?, '2026-11-24 12:00:00.250000', 'staging', 'ci', 'c', 'chat.create',"
        " 'POST', '/v1', 'gpt-5-mini', 0, 200, 'forwarded', 1200, 34, ?, 'reported', 1, 1, 0, 1, 1,"
        " '[]')",
        (call_id, cost),
    )
