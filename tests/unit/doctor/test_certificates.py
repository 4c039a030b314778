"""What is said of the authority in certs/: real ones, each spoiled in one way."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openai_gateway.doctor import certificates
from openai_gateway.doctor.finding import Finding
from openai_gateway.host.authority import BUNDLE_FILE, KEY_FILE, PUBLIC_FILE, ensure
from tests.unit.doctor.rig import only, site

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ELSEWHERE = ("192.0.2.1", 8080)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    ensure(tmp_path / "certs", create=True, now=NOW)
    return tmp_path / "certs"


def look(certs: Path, days: int = 0, **wish: object) -> Finding:
    return only(certificates.look(site(certs.parent, now=NOW + timedelta(days=days), **wish)))


def test_a_right_one_passes_with_its_end(certs: Path) -> None:
    found = look(certs)
    assert (found.status, found.fix) == ("pass", "")
    assert found.evidence == "valid until 2027-11-24 (365 days), held to api.openai.com"


@pytest.mark.parametrize(
    ("days", "status"), [(335, "pass"), (336, "warn"), (365, "warn"), (366, "fail")]
)
def test_it_warns_for_30_days_and_then_fails(certs: Path, days: int, status: str) -> None:
    assert look(certs, days).status == status


def test_one_that_is_not_there_fails_with_the_command(tmp_path: Path) -> None:
    found = only(certificates.look(site(tmp_path)))
    assert (found.status, "ca create" in found.fix) == ("fail", True)


def test_a_key_that_others_may_read_fails(certs: Path) -> None:
    (certs / KEY_FILE).chmod(0o644)
    found = look(certs)
    assert (found.status, "mode 0644" in found.evidence) == ("fail", True)
    assert "chmod 600" in found.fix


def test_a_key_of_another_certificate_fails(certs: Path, tmp_path: Path) -> None:
    ensure(tmp_path / "other", create=True, now=NOW)
    key = (tmp_path / "other" / KEY_FILE).read_text().partition("-----BEGIN CERTIFICATE")[0]
    (certs / KEY_FILE).write_text(key + (certs / PUBLIC_FILE).read_text())
    assert "the key is not the certificate's" in look(certs).evidence


def test_what_is_cut_in_the_middle_fails(certs: Path) -> None:
    whole = (certs / KEY_FILE).read_bytes()
    (certs / KEY_FILE).write_bytes(whole[: len(whole) // 2])
    assert look(certs).status == "fail"


def test_a_public_file_that_is_not_there_fails(certs: Path) -> None:
    (certs / BUNDLE_FILE).unlink()
    assert look(certs).status == "fail"


def test_a_client_needs_the_public_certificate_only(certs: Path) -> None:
    (certs / KEY_FILE).unlink()
    assert look(certs, listen=ELSEWHERE).status == "pass"
    assert look(certs, 340, listen=ELSEWHERE).status == "warn"
    assert look(certs, 366, listen=ELSEWHERE).status == "fail"
    (certs / PUBLIC_FILE).write_text("no certificate")
    assert look(certs, listen=ELSEWHERE).status == "fail"
    shutil.rmtree(certs)
    assert look(certs, listen=ELSEWHERE).status == "warn"
