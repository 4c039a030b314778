"""Stored bodies (`log.bodies`): off unless asked for, without keys, in a table of their own."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from tests.e2e.calls import CHAT, eventually, post
from tests.e2e.conftest import MakeGateway
from tests.support.clients import Reply
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

ASKED = "what is the capital of Atlantis"
COUNTED = "openai_gateway_log_bodies_total"


def body(**more: Any) -> bytes:
    said = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": ASKED}], **more}
    return json.dumps(said).encode()


def kept(process: GatewayProcess, reply: Reply) -> dict[str, dict[str, Any]]:
    """The call's stored bodies by side, once its row is there (they are written together)."""
    call_id = reply.first("x-gateway-request-id")
    process.row(call_id)
    with closing(sqlite3.connect(process.database)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM bodies WHERE id = ?", (call_id,))
        return {row["side"]: dict(row) for row in rows}


def test_nothing_is_kept_unless_asked_for(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway()
    assert kept(process, post(process.way, "h1", keys, body())) == {}
    assert ASKED.encode() not in process.database_bytes()
    assert len(fake.wait()) == 1


def test_all_keeps_what_left_and_what_came_back(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"log": {"bodies": "all"}})
    for stream in (False, True):
        fake.reset()
        reply = post(process.way, "h1", keys, body(stream=stream))
        found = kept(process, reply)
        (sent,) = fake.wait()
        assert found["request"]["body"] == sent.body.decode()
        assert found["response"]["body"] == reply.body.decode()
        assert (found["response"]["size"], found["response"]["cut"]) == (len(reply.body), 0)
    assert process.metric(COUNTED, result="written") == 4
    row = process.row(reply.first("x-gateway-request-id"))
    assert ASKED not in str(row)
    assert keys.staging.encode() not in process.database_bytes()
    assert keys.production.encode() not in process.database_bytes()


def test_errors_keeps_what_did_not_end_well(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"log": {"bodies": "errors"}})
    assert kept(process, post(process.way, "h1", keys, body())) == {}
    fake.knobs.add(CHAT, status=500)
    reply = post(process.way, "h2", keys, body())
    found = kept(process, reply)
    assert ASKED in found["request"]["body"]
    assert found["response"]["body"] == reply.body.decode()


def test_a_long_body_is_cut_and_marked(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"log": {"bodies": "all", "bodies_max_bytes": 40}})
    sent = body()
    reply = post(process.way, "h1", keys, sent)
    found = kept(process, reply)
    assert found["request"]["body"] == sent[:40].decode()
    assert (found["request"]["size"], found["request"]["cut"]) == (len(sent), 1)
    assert (found["response"]["size"], found["response"]["cut"]) == (len(reply.body), 1)
    assert len(fake.wait()) == 1


def test_a_leaked_production_key_is_not_kept(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"log": {"bodies": "all"}})
    reply = post(process.way, "h1", keys, body(user=keys.production))
    assert (reply.status, reply.code) == (403, "gateway_production_key_leaked")
    assert kept(process, reply) == {}
    assert keys.production.encode() not in process.database_bytes()
    assert fake.requests == []


def test_an_echoed_staging_key_is_masked_in_what_is_kept(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"log": {"bodies": "all"}})
    fake.knobs.add(CHAT, patch={"echo": keys.staging})
    found = kept(process, post(process.way, "h1", keys, body()))
    assert '"echo"' in found["response"]["body"]
    assert keys.staging.encode() not in process.database_bytes()


def test_the_policy_changes_while_it_runs(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway()
    process.reload({"log": {"bodies": "all"}})
    assert eventually(lambda: bool(kept(process, post(process.way, "h1", keys, body()))))
    assert fake.wait()
