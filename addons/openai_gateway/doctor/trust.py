"""What programs that are started from this shell would use and trust; nothing set is no fault here.

A variable that is set and wrong is one: such a program goes past the gateway, or trusts nobody.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from openai_gateway.doctor.finding import Part, Told, told
from openai_gateway.doctor.site import Site, is_ours
from openai_gateway.host.authority import BUNDLE_FILE, HOST, PUBLIC_FILE

BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
NODE: Final = "NODE_EXTRA_CA_CERTS"
# certifi has some 120; the gateway's CA alone would break every other host of a program
FEWEST_ROOTS: Final = 20
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)
_BIGGEST: Final = 16 * 1024 * 1024


def look(site: Site) -> Told:
    """The bundle itself, then each variable."""
    ca = _certificates(site.certs / PUBLIC_FILE)
    bundle = site.certs / BUNDLE_FILE
    if len(ca) != 1:
        fix = "see `ca`"
        return told("trust", [_proxy(site), _no_proxy(site), Part("unknown", _NO_CA, fix)])
    parts = [_bundle(BUNDLE_FILE, bundle, ca, "openai-gateway ca bundle")]
    parts += [_proxy(site), _no_proxy(site)]
    parts += [_file(site, name, ca, bundle, roots=True) for name in BUNDLES]
    parts.append(_file(site, NODE, ca, site.certs / PUBLIC_FILE, roots=False))
    return told("trust", parts)


_NO_CA: Final = f"without certs/{PUBLIC_FILE} nothing can be said of what is trusted"


def _certificates(path: Path) -> frozenset[bytes]:
    """The base64 of each certificate in a PEM file; some public roots are too odd to be parsed."""
    try:
        if path.stat().st_size > _BIGGEST:
            return frozenset()
        text = path.read_bytes()
    except OSError:
        return frozenset()
    return frozenset(b"".join(found.split()) for found in _PEM.findall(text))


def _bundle(name: str, path: Path, ca: frozenset[bytes], fix: str) -> Part:
    found = _certificates(path)
    if not ca <= found:
        return Part("fail", f"{name}: {path} does not hold the gateway's CA", fix)
    if len(found) < FEWEST_ROOTS:
        text = f"{name}: {path} holds no public roots, every other host fails"
        return Part("fail", text, fix)
    return Part("pass", f"{name} holds the CA and public roots")


def _file(site: Site, name: str, ca: frozenset[bytes], right: Path, *, roots: bool) -> Part:
    value, fix = site.environ.get(name), f"export {name}={right}"
    if not value:
        return Part("warn", f"{name} is not set", fix)
    if roots:
        return _bundle(name, Path(value), ca, fix)
    if not ca <= _certificates(Path(value)):
        return Part("fail", f"{name}: {value} does not hold the gateway's CA", fix)
    return Part("pass", f"{name} is right")


def _proxy(site: Site) -> Part:
    """Of a name in both cases the lower one wins, as in curl, Python and Node."""
    value = site.environ.get("https_proxy") or site.environ.get("HTTPS_PROXY")
    fix = f"export HTTPS_PROXY={_url(site)}"
    if not value:
        return Part("warn", "HTTPS_PROXY is not set", fix)
    if not _is_gateway(value, site):
        return Part("fail", "HTTPS_PROXY leads past the gateway", fix)
    return Part("pass", "HTTPS_PROXY leads to the gateway")


def _url(site: Site) -> str:
    host, port = site.gateway
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_gateway(value: str, site: Site) -> bool:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    same = host == site.gateway[0] or (not site.remote and is_ours(host))
    return bool(host) and port == site.gateway[1] and same and parts.scheme == "http"


def _no_proxy(site: Site) -> Part:
    value = site.environ.get("no_proxy") or site.environ.get("NO_PROXY") or ""
    for entry in value.split(","):
        name = entry.strip().lower().partition(":")[0].removeprefix("*.").lstrip(".")
        if name and (name in ("*", HOST) or HOST.endswith(f".{name}")):
            return Part("fail", f"NO_PROXY lets {HOST} past the gateway", "take it out of NO_PROXY")
    return Part("pass", "")
