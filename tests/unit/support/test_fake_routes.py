"""No endpoint that the gateway knows is unknown to the fake."""

from typing import Any

import pytest
import yaml

from tests.support.clients import RawH1, Way
from tests.support.gateway_process import ROOT


def _rows() -> list[dict[str, Any]]:
    text = (ROOT / "rules" / "endpoints.yaml").read_text()
    rows: list[dict[str, Any]] = yaml.safe_load(text)["endpoints"]
    return rows


def _path(template: str) -> str:
    segments = template.replace("**", "x").split("/")
    return "/".join("x" if segment.startswith("{") else segment for segment in segments)


@pytest.mark.parametrize("category", ["inference", "storage", "session", "admin"])
def test_every_endpoint_answers_in_json_or_its_own_kind(way: Way, key: str, category: str) -> None:
    body = b'{"model": "gpt-6-luna", "input": "hi", "messages": [], "prompt": "hi"}'
    rows = [row for row in _rows() if row.get("category", "storage") == category]
    assert rows
    with RawH1(way.tls()) as raw:
        for row in rows:
            method = "POST" if row["method"] == "*" else row["method"]
            sent = body if method == "POST" else None
            reply = raw.call(method, _path(row["path"]), key, sent)
            assert reply.complete, row
            assert reply.status in (200, 201, 204, 404), row
            assert reply.status != 404 or reply.code in (None, "model_not_found"), row
