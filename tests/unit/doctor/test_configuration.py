"""What is said of gateway.yaml, of its keys and of its allowances."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openai_gateway.doctor import configuration
from tests.unit.doctor.rig import KEYS, only, site


def test_a_right_file_passes(tmp_path: Path) -> None:
    found = only(configuration.problems(site(tmp_path)))
    assert (found.status, found.fix) == ("pass", "")
    assert "gateway.yaml: staging" in found.evidence


def test_each_problem_is_told_with_its_place_up_to_five(tmp_path: Path) -> None:
    found = only(configuration.problems(site(tmp_path, {f"odd{n}": 1 for n in range(7)})))
    assert (found.status, found.fix) == ("fail", "openai-gateway config check")
    assert "gateway.yaml:" in found.evidence
    assert found.evidence.count("unknown field") == 5
    assert "and 2 more" in found.evidence


def test_a_warning_of_the_start_is_a_warning(tmp_path: Path) -> None:
    found = only(configuration.problems(site(tmp_path, {"passthrough": ["*"]})))
    assert (found.status, "passthrough" in found.evidence) == ("warn", True)


def test_keys_that_resolve_pass_and_are_not_shown(tmp_path: Path) -> None:
    found = only(configuration.keys(site(tmp_path)))
    assert (found.status, found.evidence) == ("pass", "default: 1 production key")


def test_a_reference_that_gives_nothing_fails(tmp_path: Path) -> None:
    mapping = {"production": ["env:NOT_SET_ANYWHERE"], "staging": "env:OPENAI_API_KEY_STAGING"}
    found = only(configuration.keys(site(tmp_path, {"keys": {"mappings": [mapping]}})))
    assert found.status == "fail"
    assert "NOT_SET_ANYWHERE is not set" in found.evidence


def test_another_fault_of_the_file_says_nothing_of_the_keys(tmp_path: Path) -> None:
    assert only(configuration.keys(site(tmp_path, {"odd": 1}))).status == "unknown"


@pytest.mark.parametrize(
    ("staging", "said"),
    [
        ("sk-" + "FAKE" * 10, "a user, who has every project"),
        ("some-FAKE-token-of-a-kind", "unknown kind"),
    ],
)
def test_a_staging_key_that_is_no_projects_warns(tmp_path: Path, staging: str, said: str) -> None:
    found = only(configuration.keys(site(tmp_path, env={"OPENAI_API_KEY_STAGING": staging})))
    assert (found.status, said in found.evidence) == ("warn", True)
    assert staging not in repr(found)


def test_one_key_for_both_fails(tmp_path: Path) -> None:
    found = only(
        configuration.keys(site(tmp_path, env={"OPENAI_API_KEY_STAGING": KEYS.production}))
    )
    assert found.status == "fail"
    assert KEYS.production not in repr(found)


def test_a_mapping_that_stands_in_for_unknown_keys_warns(tmp_path: Path) -> None:
    found = only(configuration.keys(site(tmp_path, {"keys": {"unknown": "default"}})))
    assert (found.status, found.fix) == ("warn", "keys.unknown: reject")


def allowed(until: str) -> dict[str, Any]:
    entry = {"rule": "aws-access-key", "path": "*", "reason": "a test", "until": until}
    return {"leaks": {"mode": "off", "allow": [entry]}}


@pytest.mark.parametrize(
    ("until", "status"), [("2026-11-24", "pass"), ("2026-11-23", "warn")]
)  # the last day itself still counts
def test_an_allowance_that_has_ended_warns(tmp_path: Path, until: str, status: str) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    found = only(configuration.allowances(site(tmp_path, allowed(until), now=now)))
    assert found.status == status
    assert status == "pass" or "gateway.yaml:" in found.evidence
