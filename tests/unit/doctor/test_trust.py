"""What is said of the variables of a shell, over real bundles."""

from pathlib import Path

import certifi
import pytest

from openai_gateway.doctor import trust
from openai_gateway.doctor.finding import Finding
from openai_gateway.host.authority import BUNDLE_FILE, PUBLIC_FILE, ensure
from tests.unit.doctor.rig import only, site

PORT = 18080


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    ensure(tmp_path / "certs", create=True)
    return tmp_path / "certs"


def right(certs: Path) -> dict[str, str]:
    return {
        "HTTPS_PROXY": f"http://127.0.0.1:{PORT}",
        "NODE_EXTRA_CA_CERTS": str(certs / PUBLIC_FILE),
        **dict.fromkeys(trust.BUNDLES, str(certs / BUNDLE_FILE)),
    }


def look(certs: Path, **env: str) -> Finding:
    known = {name: value for name, value in {**right(certs), **env}.items() if value}
    return only(trust.look(site(certs.parent, env=known, listen=("127.0.0.1", PORT))))


def test_a_shell_as_the_readme_tells_it_passes(certs: Path) -> None:
    found = look(certs)
    assert (found.status, found.fix) == ("pass", "")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "NODE_EXTRA_CA_CERTS", *trust.BUNDLES])
def test_one_that_is_not_set_warns_with_the_export(certs: Path, name: str) -> None:
    found = look(certs, **{name: ""})
    assert (found.status, f"{name} is not set" in found.evidence) == ("warn", True)
    assert found.fix == f"export {name}={right(certs)[name]}"


@pytest.mark.parametrize("name", trust.BUNDLES)
def test_a_bundle_without_our_ca_fails(certs: Path, name: str) -> None:
    found = look(certs, **{name: certifi.where()})
    assert (found.status, "does not hold the gateway's CA" in found.evidence) == ("fail", True)


def test_a_bundle_of_our_ca_alone_fails_as_every_other_host_would(certs: Path) -> None:
    found = look(certs, SSL_CERT_FILE=str(certs / PUBLIC_FILE))
    assert (found.status, "no public roots" in found.evidence) == ("fail", True)


@pytest.mark.parametrize("value", ["/nowhere.pem", "/proc/self/exe", "/"])
def test_a_file_that_is_none_fails(certs: Path, value: str) -> None:
    assert look(certs, NODE_EXTRA_CA_CERTS=value).status == "fail"


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (f"http://localhost:{PORT}", "pass"),
        (f"http://ci:s3cretFAKE@127.0.0.1:{PORT}/", "pass"),
        (f"127.0.0.1:{PORT}", "pass"),
        ("http://127.0.0.1:1", "fail"),
        (f"http://192.0.2.1:{PORT}", "fail"),
        (f"https://127.0.0.1:{PORT}", "fail"),
        (f"socks5://127.0.0.1:{PORT}", "fail"),
        ("http://[", "fail"),
        ("http://127.0.0.1:port", "fail"),
    ],
)
def test_the_proxy_has_to_be_this_gateway(certs: Path, value: str, status: str) -> None:
    found = look(certs, HTTPS_PROXY=value)
    assert found.status == status
    assert "s3cret" not in repr(found)


def test_of_both_spellings_the_lower_one_wins(certs: Path) -> None:
    assert look(certs, https_proxy="http://127.0.0.1:1").status == "fail"


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("localhost,.internal.example", "pass"),
        ("api.openai.com", "fail"),
        ("x.example, .OpenAI.com", "fail"),
        ("*.openai.com:443", "fail"),
        ("*", "fail"),
        ("notopenai.com,openai.example", "pass"),
    ],
)
def test_no_proxy_must_not_name_openai(certs: Path, value: str, status: str) -> None:
    assert look(certs, NO_PROXY=value).status == status


def test_a_stale_bundle_fails_with_the_command(certs: Path) -> None:
    (certs / BUNDLE_FILE).write_bytes(Path(certifi.where()).read_bytes())
    found = look(certs)
    assert (found.status, "openai-gateway ca bundle" in found.fix) == ("fail", True)


def test_without_a_ca_nothing_is_said_of_bundles(tmp_path: Path) -> None:
    found = only(trust.look(site(tmp_path, env={"SSL_CERT_FILE": certifi.where()})))
    assert "SSL_CERT_FILE" not in found.evidence
    assert found.status == "warn"  # HTTPS_PROXY is not set
