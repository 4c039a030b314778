"""What is said of versions, of the modes of files, of the age of lists."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openai_gateway.doctor import machine
from openai_gateway.doctor.advisories import AS_OF, known, version
from tests.unit.doctor.rig import only, site


def test_what_runs_here_passes(tmp_path: Path) -> None:
    found = only(machine.versions(site(tmp_path)))
    assert found.status == "pass"
    assert str(AS_OF) in found.evidence


@pytest.mark.parametrize(
    ("installed", "statuses", "said"),
    [
        ("12.2.3", ["pass"], "no advisory"),
        ("12.9", ["pass"], "no advisory"),
        ("13.0.0", ["fail"], "was not tried"),
        ("12.2.1", ["fail", "fail"], "GHSA-527g-3w9m-29hv"),
        ("11.1.1", ["fail"] * 4, "GHSA-wg33-5h85-7q5p"),
    ],
)
def test_a_version_with_an_advisory_fails(installed: str, statuses: list[str], said: str) -> None:
    parts = list(machine.mitmproxy(installed))
    assert [part.status for part in parts] == statuses
    assert said in " ".join(part.evidence for part in parts)


def test_versions_are_numbers() -> None:
    assert version("12.2.3") == (12, 2, 3)
    assert version("13.0.0rc1") == (13, 0)
    assert known((12, 2, 2)) == []


@pytest.mark.parametrize(
    ("name", "mode", "status"),
    [
        ("gateway.yaml", 0o644, "pass"),
        ("gateway.yaml", 0o664, "warn"),
        ("gateway.yaml", 0o646, "fail"),
        (".env", 0o600, "pass"),
        (".env", 0o640, "pass"),
        (".env", 0o644, "fail"),
        ("var", 0o755, "pass"),
        ("var", 0o777, "fail"),
        ("certs", 0o777, "fail"),
        ("var/calls.db", 0o644, "fail"),
        ("certs/mitmproxy-ca.pem", 0o604, "fail"),
    ],
)
def test_what_others_may_do_is_told(tmp_path: Path, name: str, mode: int, status: str) -> None:
    for folder in ("var", "certs"):
        (tmp_path / folder).mkdir(mode=0o755)
        (tmp_path / folder).chmod(0o755)
    for file in (".env", "var/calls.db", "certs/mitmproxy-ca.pem"):
        (tmp_path / file).touch()
        (tmp_path / file).chmod(0o600)
    looked = site(tmp_path)
    (tmp_path / name).chmod(mode)
    found = only(machine.permissions(looked))
    assert found.status == status
    assert status == "pass" or f"mode {mode:04o}" in found.evidence


def test_a_file_of_a_secret_is_looked_at(tmp_path: Path) -> None:
    key = tmp_path / "staging.key"
    key.write_text("sk-proj-" + "FAKEst" * 8)
    key.chmod(0o644)
    mapping = {"production": ["env:OPENAI_API_KEY_PRODUCTION"], "staging": f"file:{key}"}
    found = only(machine.permissions(site(tmp_path, {"keys": {"mappings": [mapping]}})))
    assert (found.status, f"chmod o-rwx {key}" in found.fix) == ("fail", True)


@pytest.mark.parametrize(("days", "status"), [(90, "pass"), (91, "warn")])
def test_a_list_older_than_90_days_warns(tmp_path: Path, days: int, status: str) -> None:
    own = tmp_path / "rules"
    own.mkdir()
    for name in ("prices", "endpoints", "limits"):
        (own / f"{name}.yaml").write_text("as_of: 2026-08-26\n" if name == "limits" else "# none\n")
    now = datetime(2026, 8, 26, tzinfo=UTC) + timedelta(days=days)
    found = only(machine.data(site(tmp_path, {"odd": 1}, now=now)))
    assert found.status == status
    assert "limits.yaml" in found.evidence
    assert status == "pass" or f"is {days} days old (as_of 2026-08-26)" in found.evidence


def test_every_list_that_ships_has_a_date(tmp_path: Path) -> None:
    found = only(machine.data(site(tmp_path)))
    assert "no date" not in found.evidence
    for name in ("prices", "endpoints", "limits", "secrets"):
        assert f"{name}.yaml" in found.evidence
