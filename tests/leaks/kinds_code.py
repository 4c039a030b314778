"""Keys of code hosts, registries and build servers."""

import base64
from random import Random
from typing import Final

from tests.leaks.draw import checksum, fill
from tests.leaks.kind import BARE, HERE, Kind, Planted, assigned, bare
from tests.leaks.kinds_tickets import signed

GH: Final = "g" + "h"
GL: Final = "g" + "l"

TOKENS: Final = (
    ("github-classic", f"{GH}p_{{a:30}}{{crc}}"),
    ("github-oauth", f"{GH}o_{{a:30}}{{crc}}"),
    ("github-user", f"{GH}u_{{a:30}}{{crc}}"),
    ("github-app", f"{GH}s_{{a:30}}{{crc}}"),
    ("github-refresh-36", f"{GH}r_{{a:30}}{{crc}}"),
    ("github-fine-grained", "github_pat_{a:22}_{a:59}"),
    ("gitlab-personal", f"{GL}pat-{{w:20}}"),
    ("gitlab-deploy", f"{GL}dt-{{w:20}}"),
    ("gitlab-runner", f"{GL}rt-{{w:20}}"),
    ("gitlab-build", f"{GL}cbt-{{a:2}}_{{w:20}}"),
    ("gitlab-feed", f"{GL}ft-{{w:20}}"),
    ("gitlab-scim", f"{GL}soat-{{w:20}}"),
    ("gitlab-flags", f"{GL}ffct-{{w:20}}"),
    ("gitlab-agent", f"{GL}agent-{{w:50}}"),
    ("gitlab-routable", f"{GL}pat-{{w:27-60}}.0{{l:1}}.{{l:9}}"),
    ("gitlab-trigger", f"{GL}ptt-{{x:40}}"),
    ("bitbucket", "ATBB{a:24}{X:8}"),
    ("atlassian", "ATATT3xFfGF0{w:171}={X:8}"),
    ("npm", "npm_{a:30}{crc}"),
    ("rubygems", "rubygems_{x:48}"),
    ("nuget", "oy2{l:43}"),
    ("crates", "cio{a:32}"),
    ("docker-personal", "dckr_pat_{w:27-32}"),
    ("docker-organization", "dckr_oat_{w:27-32}"),
    ("circleci", "CCIPAT_{a:22}_{x:40}"),
    ("buildkite", "bkua_{x:40}"),
    ("sonar", "sq{one:u,p,a}_{x:40}"),
    ("sourcegraph", "sgp_{x:40}"),
    ("artifactory", "AKCp{a:68}"),
)
NAMED: Final = (
    ("artifactory-reference", "cmVmdGtu{a:56}", "JFROG_ACCESS_TOKEN"),
    ("codecov", "{uuid}", "CODECOV_TOKEN"),
    ("snyk", "{uuid}", "SNYK_TOKEN"),
    ("gitea", "{x:40}", "GITEA_TOKEN"),
    ("travis", "{a:22}", "TRAVIS_API_TOKEN"),
    ("drone", "{a:32}", "DRONE_RPC_SECRET"),
    ("azure-devops-old", "{l:52}", "AZURE_DEVOPS_TOKEN"),
    ("sonar-old", "{x:40}", "SONAR_TOKEN"),
    ("gradle", "{l:50}", "GRADLE_PUBLISH_SECRET"),
    ("cargo-own-registry", "{a:32}", "CARGO_REGISTRY_TOKEN"),
)
NPMRC: Final = (
    "//packages.example/:_authToken=§\nalways-auth=true\n",
    "npm config set //npm.internal.lan/:_authToken=§",
)


def github_long_refresh(chance: Random) -> Planted:
    """76 characters. Over which of them its checksum goes is not public, so both are made."""
    head = fill("{a:70}", chance)
    made = f"{GH}r_{head}{checksum(chance.choice((head, head[-30:])))}"
    return Planted(made, chance.choice(BARE).replace(HERE, made))


def github_app_signed(chance: Random) -> Planted:
    """The form of 2026: the application's number and a signed ticket."""
    claims = {"iss": "github", "sub": fill("repo:{l:12}/{l:14}", chance), "jti": "{uuid}"}
    claims |= {"exp": 2_050_000_000, "scopes": "contents:read,checks:write,metadata:read"}
    made = f"{GH}s_" + fill("{n:7}_", chance) + signed(chance, claims, "RS256", 128)
    return Planted(made, chance.choice(BARE).replace(HERE, made))


def pypi(chance: Random) -> Planted:
    """A macaroon, version 2: location, identifier, caveats, signature."""
    site = chance.choice((b"pypi.org", b"test.pypi.org"))
    name = fill("{uuid}", chance).encode()
    caveat = b'[3, "' + fill("{uuid}", chance).encode() + b'"]'
    raw = b"\x02\x01" + bytes([len(site)]) + site + b"\x02" + bytes([len(name)]) + name + b"\x00"
    raw += b"\x02" + bytes([len(caveat)]) + caveat + b"\x00\x00\x06\x20" + chance.randbytes(32)
    made = "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return Planted(made, chance.choice(BARE).replace(HERE, made))


def registry_auth(chance: Random) -> Planted:
    """The file config.json of Docker: user and password in base64."""
    pair = fill("{one:deploy,robot,ci-user}:{a:20-36}", chance)
    coded = base64.b64encode(pair.encode()).decode()
    text = f'{{\n\t"auths": {{\n\t\t"registry.internal.lan": {{\n\t\t\t"auth": "{coded}"\n'
    return Planted(coded, text + "\t\t}\n\t}\n}\n")


ALL: Final[tuple[Kind, ...]] = (
    *bare(TOKENS),
    Kind("github-refresh-76", github_long_refresh),
    Kind("github-app-signed", github_app_signed),
    Kind("pypi", pypi),
    Kind("docker-auth", registry_auth),
    Kind("npmrc-uuid", "{uuid}", NPMRC),
    *assigned(NAMED),
)
