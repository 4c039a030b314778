"""Whether the gateway's own authority can be used, for how long, and for nothing but OpenAI."""

from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from openai_gateway.doctor.finding import Part, Told, told
from openai_gateway.doctor.site import Site
from openai_gateway.host import authority
from openai_gateway.host.authority import HOST, AuthorityError

SOON_DAYS: Final = 30
_ROTATE: Final = "certs/README.md tells how to rotate it without downtime"
_COPY: Final = "copy gateway-ca.pem and ca-bundle.pem from the gateway's certs/ to certs/ here"


def look(site: Site) -> Told:
    """On the gateway's machine all of it; on a client's the public certificate."""
    if site.remote and not (site.certs / authority.KEY_FILE).exists():
        return told("ca", [_public(site.certs / authority.PUBLIC_FILE, site.now)])
    try:
        found = authority.read(site.certs, site.now)
    except AuthorityError as error:
        evidence, _, fix = str(error).partition("; ")
        return told("ca", [Part("fail", evidence, fix or "openai-gateway ca create")])
    parts = [_end(found.not_after, found.days_left)]
    parts += [
        Part("fail", f"{path} is not there", "openai-gateway ca create makes it again")
        for path in (found.public_file, found.bundle_file)
        if not path.is_file()
    ]
    return told("ca", parts)


def _public(path: Path, now: datetime) -> Part:
    try:
        end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except OSError:
        return Part("warn", f"{path} is not there", _COPY)
    except ValueError:
        return Part("fail", f"{path} is no certificate", _COPY)
    return _end(end, (end - now).days)


def _end(end: datetime, days: int) -> Part:
    held = f"valid until {end:%Y-%m-%d} ({days} days), held to {HOST}"
    if days < 0:
        return Part("fail", f"ended on {end:%Y-%m-%d}", _ROTATE)
    return Part("warn", held, _ROTATE) if days < SOON_DAYS else Part("pass", held)
