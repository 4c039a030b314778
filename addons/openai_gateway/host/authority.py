"""The gateway's own certificate authority: made once, checked at every start, never replaced.

Clients trust it to speak as api.openai.com and, by its critical name constraint, as nothing else.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openai_gateway.host.files import lock, write_whole

HOST: Final = "api.openai.com"  # a constraint on it covers us.api.openai.com and so on
KEY_FILE: Final = "mitmproxy-ca.pem"  # mitmproxy's name for key and certificate in one file
PUBLIC_FILE: Final = "gateway-ca.pem"
BUNDLE_FILE: Final = "ca-bundle.pem"

_VALID: Final = timedelta(days=365)
_BACKDATED: Final = timedelta(days=2)  # for clients whose clock is late
_LOCK_FILE: Final = ".lock"
_LOCK_WAIT_S: Final = 10.0
_OPTION_FILES: Final = ("config.yaml", "config.yml")
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_NO_ADDRESSES: Final = ("0.0.0.0/0", "::/0")
_REPLACE: Final = "move the file away and run `openai-gateway ca create`, then hand out the new one"


class AuthorityError(Exception):
    """The authority cannot be used; the message says which file, what is wrong, and the fix."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A usable authority. `sha256` is the certificate's fingerprint in hex; `days_left` counts
    whole days from the time it was read."""

    folder: Path
    key_file: Path
    public_file: Path
    bundle_file: Path
    sha256: str
    not_before: datetime
    not_after: datetime
    days_left: int


def ensure(folder: Path, create: bool, now: datetime | None = None) -> Authority:
    """The authority in `folder`; with `create` a missing one is made, else it is an error.

    Missing public files are made again from the key file. Raises AuthorityError.
    """
    now = now or datetime.now(UTC)
    with _named_errors(folder):
        _refuse_options(folder)
        if not _complete(folder):
            _fill(folder, create, now)
    return read(folder, now)


def read(folder: Path, now: datetime | None = None) -> Authority:
    """The authority in `folder` as it is; nothing is written. Raises AuthorityError."""
    now = now or datetime.now(UTC)
    with _named_errors(folder):
        _refuse_missing(folder)
        return _describe(folder, _certificate(folder, now), now)


def bundle(folder: Path, now: datetime | None = None) -> Authority:
    """Writes ca-bundle.pem anew, this authority and the public roots of certifi as installed."""
    found = ensure(folder, create=False, now=now)
    with _named_errors(folder), lock(folder / _LOCK_FILE, _LOCK_WAIT_S):
        write_whole(found.bundle_file, _bundle_text(folder), 0o644)
    return found


def _refuse_missing(folder: Path) -> None:
    if not (folder / KEY_FILE).exists():
        raise AuthorityError(f"{folder / KEY_FILE}: is not there; run `openai-gateway ca create`")


def _refuse_options(folder: Path) -> None:
    found = next((name for name in _OPTION_FILES if (folder / name).exists()), None)
    if found is not None:
        raise AuthorityError(
            f"{folder / found}: mitmproxy would read its options from it; remove the file"
        )


def _complete(folder: Path) -> bool:
    """Whether all three files are there and speak of one certificate: then nothing is written,
    so that a folder which is mounted read-only serves."""
    paths = [folder / name for name in (KEY_FILE, PUBLIC_FILE, BUNDLE_FILE)]
    if not all(path.is_file() for path in paths):
        return False
    public = paths[1].read_bytes()
    return paths[0].read_bytes().endswith(public) and public in paths[2].read_bytes()


def _fill(folder: Path, create: bool, now: datetime) -> None:
    """Makes what is missing. The key file comes first: the others are made from it."""
    if not create:
        _refuse_missing(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_shared(folder)
    with lock(folder / _LOCK_FILE, _LOCK_WAIT_S):
        if not (folder / KEY_FILE).exists():
            write_whole(folder / KEY_FILE, _make(now), 0o600)
        public = _pem(_certificate(folder, now))
        write_whole(folder / PUBLIC_FILE, public, 0o644)
        if not _holds(folder / BUNDLE_FILE, public):
            write_whole(folder / BUNDLE_FILE, _bundle_text(folder), 0o644)


def _refuse_shared(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & _OTHERS_WRITE:
        raise AuthorityError(
            f"{folder}: others may write in it (mode {mode & 0o777:04o}) and so replace the key;"
            f" run `chmod go-w {folder}`"
        )


def _make(now: datetime) -> bytes:
    """A new key and its certificate, as one PEM text."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # A name of its own, so that an old and a new authority can be trusted side by side.
    common = f"openai-gateway CA {now:%Y-%m-%d} {serial % 2**32:08x}"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder(name, name, public, serial, now - _BACKDATED, now + _VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_constraint(), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + _pem(certificate)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraint() -> x509.NameConstraints:
    # A permitted name says nothing about addresses: those are excluded on their own.
    return x509.NameConstraints(
        permitted_subtrees=[x509.DNSName(HOST)],
        excluded_subtrees=[x509.IPAddress(ip_network(net)) for net in _NO_ADDRESSES],
    )


def _certificate(folder: Path, now: datetime) -> x509.Certificate:
    """The certificate of the key file, once everything about that file is as it must be."""
    path = folder / KEY_FILE
    mode = path.stat().st_mode
    if mode & _OTHERS:
        raise AuthorityError(
            f"{path}: holds a key that others may read (mode {mode & 0o777:04o});"
            f" run `chmod 600 {path}`, and replace it if anyone could have"
        )
    certificate = _parse(path)
    if not _is_ours(certificate):
        raise AuthorityError(
            f"{path}: is not an authority that is held to {HOST} alone by a critical name"
            f" constraint; {_REPLACE}"
        )
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise AuthorityError(
            f"{path}: is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to"
            f" {certificate.not_valid_after_utc:%Y-%m-%d} only; {_REPLACE}"
        )
    return certificate


def _parse(path: Path) -> x509.Certificate:
    raw = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(raw, None)
        (certificate,) = x509.load_pem_x509_certificates(raw)
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise AuthorityError(
            f"{path}: is not one whole key with its own certificate; {_REPLACE}"
        ) from error
    if key.public_key() != certificate.public_key():
        raise AuthorityError(f"{path}: the key is not the certificate's; {_REPLACE}")
    return certificate


def _is_ours(certificate: x509.Certificate) -> bool:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        names = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return False
    return basic.value.ca and names.critical and names.value == _constraint()


def _describe(folder: Path, certificate: x509.Certificate, now: datetime) -> Authority:
    end = certificate.not_valid_after_utc
    return Authority(
        folder=folder,
        key_file=folder / KEY_FILE,
        public_file=folder / PUBLIC_FILE,
        bundle_file=folder / BUNDLE_FILE,
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=end,
        days_left=(end - now).days,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and text in path.read_bytes()


def _bundle_text(folder: Path) -> bytes:
    return (folder / PUBLIC_FILE).read_bytes() + b"\n" + Path(certifi.where()).read_bytes()


@contextlib.contextmanager
def _named_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise AuthorityError(str(error)) from error
    except OSError as error:
        path = error.filename or folder
        raise AuthorityError(
            f"{path}: {error.strerror}; the gateway's user needs to read and write {folder}"
        ) from error
