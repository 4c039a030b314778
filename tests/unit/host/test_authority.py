"""The gateway's own authority: what it may sign, who may read it, and that it is never replaced."""

import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from mitmproxy.certs import CertStore

from openai_gateway.host import authority
from openai_gateway.host.authority import Authority, AuthorityError, ensure
from openai_gateway.host.files import lock

ADDONS = Path(__file__).resolve().parents[3] / "addons"
ENSURE = """
import sys
from pathlib import Path
from openai_gateway.host.authority import ensure
print("ready", flush=True)
sys.stdin.readline()
print(ensure(Path(sys.argv[1]), create=True).sha256)
"""


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    return tmp_path / "certs"


@pytest.fixture
def made(certs: Path) -> Authority:
    return ensure(certs, create=True)


def leaf(ca: Authority, *names: x509.GeneralName) -> x509.Certificate:
    """A server certificate signed by the authority's key, whatever its constraint says."""
    raw = ca.key_file.read_bytes()
    signer = serialization.load_pem_private_key(raw, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(raw)
    now = datetime.now(UTC)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )


def openssl_accepts(ca: Authority, certificate: x509.Certificate, folder: Path) -> bool:
    path = folder / "leaf.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver"]
    done = subprocess.run(  # noqa: S603 -- openssl over files that this test made
        [*command, "-CAfile", str(ca.public_file), str(path)], capture_output=True, check=False
    )
    return done.returncode == 0


def strict_accepts(ca: Authority, certificate: x509.Certificate, name: x509.DNSName) -> bool:
    root = x509.load_pem_x509_certificate(ca.public_file.read_bytes())
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(name)
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("api.openai.com", True),
        ("us.api.openai.com", True),
        ("jp.api.openai.com", True),
        ("evil.example", False),
        ("openai.com", False),
        ("evilapi.openai.com", False),
        ("api.openai.com.evil.example", False),
    ],
)
def test_only_the_api_and_its_regions_can_be_impersonated(
    made: Authority, tmp_path: Path, name: str, accepted: bool
) -> None:
    certificate = leaf(made, x509.DNSName(name))
    assert strict_accepts(made, certificate, x509.DNSName(name)) is accepted
    if shutil.which("openssl"):
        assert openssl_accepts(made, certificate, tmp_path) is accepted


def test_an_address_beside_the_allowed_name_is_refused(made: Authority, tmp_path: Path) -> None:
    name = x509.DNSName("api.openai.com")
    certificate = leaf(made, name, x509.IPAddress(IPv4Address("192.0.2.7")))
    assert not strict_accepts(made, certificate, name)
    if shutil.which("openssl"):
        assert not openssl_accepts(made, certificate, tmp_path)


def test_a_leaf_that_mitmproxy_makes_from_the_folder_is_accepted(made: Authority) -> None:
    name = x509.DNSName("api.openai.com")
    store = CertStore.from_store(made.folder, "mitmproxy", 2048)
    entry = store.get_cert("api.openai.com", [name])
    assert store.default_ca.fingerprint().hex() == made.sha256
    assert strict_accepts(made, entry.cert.to_cryptography(), name)


def test_certificate_is_as_the_contract_says(certs: Path) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    made = ensure(certs, create=True, now=now)
    certificate = x509.load_pem_x509_certificate(made.public_file.read_bytes())
    extensions = {extension.oid._name: extension for extension in certificate.extensions}
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert certificate.not_valid_before_utc == now - timedelta(days=2)
    assert made.not_after == certificate.not_valid_after_utc == now + timedelta(days=365)
    assert made.days_left == 365
    assert extensions["basicConstraints"].value == x509.BasicConstraints(True, 0)
    assert extensions["nameConstraints"].critical
    assert extensions["keyUsage"].critical
    usage = extensions["keyUsage"].value
    assert isinstance(usage, x509.KeyUsage)
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_files_have_the_modes_and_contents_that_clients_need(made: Authority) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()}
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    assert modes == {
        "mitmproxy-ca.pem": 0o600,
        ".lock": 0o600,
        "gateway-ca.pem": 0o644,
        "ca-bundle.pem": 0o644,
    }
    public = made.public_file.read_bytes()
    assert b"PRIVATE KEY" not in public + made.bundle_file.read_bytes()
    assert made.bundle_file.read_bytes().startswith(public)
    assert made.bundle_file.read_bytes().endswith(Path(certifi.where()).read_bytes())


def test_two_authorities_have_different_names(tmp_path: Path) -> None:
    """Else a client that trusts an old and a new one may look for the wrong signer."""
    texts = [ensure(tmp_path / n, create=True).public_file.read_bytes() for n in ("a", "b")]
    assert len({x509.load_pem_x509_certificate(text).subject for text in texts}) == 2


def test_an_authority_is_never_overwritten(made: Authority) -> None:
    before = {path: path.read_bytes() for path in made.folder.iterdir()}
    assert ensure(made.folder, create=True) == made
    assert {path: path.read_bytes() for path in made.folder.iterdir()} == before


def test_missing_public_files_are_made_again(made: Authority) -> None:
    before = made.public_file.read_bytes(), made.bundle_file.read_bytes()
    made.public_file.unlink()
    made.bundle_file.unlink()
    ensure(made.folder, create=False)
    assert (made.public_file.read_bytes(), made.bundle_file.read_bytes()) == before


def test_public_files_of_a_former_authority_are_made_again(certs: Path) -> None:
    old = ensure(certs, create=True)
    old.key_file.rename(certs / "old.pem")
    new = ensure(certs, create=True)
    public = new.public_file.read_bytes()
    assert new.sha256 != old.sha256
    assert x509.load_pem_x509_certificate(public).fingerprint(hashes.SHA256()).hex() == new.sha256
    assert new.bundle_file.read_bytes().startswith(public)


def test_bundle_is_written_anew(made: Authority) -> None:
    whole = made.bundle_file.read_bytes()
    made.bundle_file.write_bytes(made.public_file.read_bytes() + b"# roots of long ago\n")
    assert authority.bundle(made.folder) == made
    assert made.bundle_file.read_bytes() == whole


def test_missing_authority_is_an_error_where_it_must_exist(certs: Path) -> None:
    with pytest.raises(AuthorityError, match="openai-gateway ca create"):
        ensure(certs, create=False)
    assert not certs.exists()


@pytest.mark.parametrize("name", ["config.yaml", "config.yml"])
def test_a_file_that_mitmproxy_would_read_options_from_is_refused(
    made: Authority, name: str
) -> None:
    (made.folder / name).write_text("ssl_insecure: true\n")
    with pytest.raises(AuthorityError, match=f"{name}.*remove the file"):
        ensure(made.folder, create=True)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_may_read_is_refused(made: Authority, mode: int) -> None:
    made.key_file.chmod(mode)
    with pytest.raises(AuthorityError, match=f"{mode:04o}.*chmod 600"):
        ensure(made.folder, create=True)


def test_a_folder_in_which_others_may_write_gets_no_key(certs: Path) -> None:
    certs.mkdir()
    certs.chmod(0o777)
    with pytest.raises(AuthorityError, match="chmod go-w"):
        ensure(certs, create=True)
    assert list(certs.iterdir()) == []


def test_a_folder_that_is_there_keeps_its_mode(certs: Path) -> None:
    """git's has 0755: other users of the host can then read the public files."""
    certs.mkdir(mode=0o755)
    ensure(certs, create=True)
    assert stat.S_IMODE(certs.stat().st_mode) == 0o755


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.97])
def test_a_half_written_key_file_is_refused_and_kept(made: Authority, kept: float) -> None:
    whole = made.key_file.read_bytes()
    part = whole[: int(len(whole) * kept)]
    made.key_file.write_bytes(part)
    with pytest.raises(AuthorityError, match="not one whole key"):
        ensure(made.folder, create=True)
    assert made.key_file.read_bytes() == part


def test_a_key_of_another_authority_is_refused(made: Authority, tmp_path: Path) -> None:
    other = ensure(tmp_path / "other", create=True)
    key, mark, _ = made.key_file.read_text().partition("-----BEGIN CERTIFICATE-----")
    certificate = other.key_file.read_text().partition(mark)[2]
    made.key_file.write_text(key + mark + certificate)
    with pytest.raises(AuthorityError, match="the key is not the certificate's"):
        ensure(made.folder, create=True)


def test_an_authority_without_our_constraint_is_refused(made: Authority) -> None:
    """mitmproxy's own authority, say, which may sign for the whole world."""
    made.key_file.unlink()
    CertStore.create_store(made.folder, "mitmproxy", 2048)
    with pytest.raises(AuthorityError, match="critical name constraint"):
        ensure(made.folder, create=True)


@pytest.mark.parametrize("days", [-3, 366])
def test_an_authority_out_of_its_time_is_refused(made: Authority, days: int) -> None:
    with pytest.raises(AuthorityError, match="is valid from"):
        ensure(made.folder, create=True, now=datetime.now(UTC) + timedelta(days=days))


def test_a_path_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "certs").write_text("")
    with pytest.raises(AuthorityError, match="needs to read and write"):
        ensure(tmp_path / "certs", create=True)


def test_a_complete_folder_is_served_without_writing(made: Authority) -> None:
    """A folder that is mounted read-only: not even the lock file is touched."""
    (made.folder / ".lock").unlink()
    assert ensure(made.folder, create=False) == made
    assert not (made.folder / ".lock").exists()


def test_a_failed_write_leaves_nothing_behind(certs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AuthorityError, match="No space left"):
        ensure(certs, create=True)
    assert [path.name for path in certs.iterdir()] == [".lock"]


def test_a_folder_that_another_process_holds_is_named(
    certs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "_LOCK_WAIT_S", 0.05)
    certs.mkdir(mode=0o700)
    with (
        lock(certs / ".lock", 1.0),
        pytest.raises(AuthorityError, match=r"certs/\.lock: another process has held it"),
    ):
        ensure(certs, create=True)
    ensure(certs, create=True)


def test_processes_that_start_at_once_end_with_one_authority(certs: Path) -> None:
    """All are ready before the first is let go, so that their starts truly meet."""
    processes = [
        subprocess.Popen(  # noqa: S603 -- our own interpreter
            [sys.executable, "-c", ENSURE, str(certs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ADDONS)},
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(8) as pool:
        outputs = set(pool.map(lambda process: process.communicate("\n", 60)[0], processes))
    assert {process.returncode for process in processes} == {0}
    assert outputs == {ensure(certs, create=False).sha256 + "\n"}
    assert not list(certs.glob(".*.pem.*"))
