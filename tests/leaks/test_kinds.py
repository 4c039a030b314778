"""The values have the forms that they claim: here written again, as patterns and by decoding."""

import base64
import json
import re
import zlib
from collections.abc import Iterator

import pytest

from tests.leaks.draw import seeded
from tests.leaks.kind import Kind
from tests.leaks.kinds import BY_NAME, KINDS, STRONG

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORMS = {
    "openai-project": r"sk-proj-[\w-]{74}T3Blbk[F]J[\w-]{74}",
    "openai-project-58": r"sk-proj-[\w-]{58}T3Blbk[F]J[\w-]{58}",
    "openai-project-20": r"sk-proj-[A-Za-z0-9]{20}T3Blbk[F]J[A-Za-z0-9]{20}",
    "openai-service": r"sk-svcacct-[\w-]{74}T3Blbk[F]J[\w-]{74}",
    "openai-admin": r"sk-admin-[\w-]{74}T3Blbk[F]J[\w-]{74}",
    "openai-legacy": r"sk-[A-Za-z0-9]{20}T3Blbk[F]J[A-Za-z0-9]{20}",
    "openai-session": r"sess-[A-Za-z0-9]{40}",
    "openai-ephemeral": r"ek_[0-9a-f]{32}",
    "anthropic-api": r"sk-ant-api03-[\w-]{93}AA",
    "anthropic-admin": r"sk-ant-admin01-[\w-]{93}AA",
    "anthropic-oauth": r"sk-ant-oat01-[\w-]{93}AA",
    "anthropic-session": r"sk-ant-sid01-[\w-]{93}AA",
    "huggingface-user": r"hf_[A-Za-z]{34}",
    "huggingface-org": r"api_org_[A-Za-z]{34}",
    "groq": r"gsk_[A-Za-z0-9]{52}",
    "xai": r"xai-[A-Za-z0-9]{70,100}",
    "perplexity": r"pplx-[A-Za-z0-9]{48}",
    "replicate": r"r8_[A-Za-z0-9]{37}",
    "openrouter": r"sk-or-v1-[0-9a-f]{64}",
    "nvidia": r"nvapi-[\w-]{60,70}",
    "langsmith-personal": r"lsv2_pt_[0-9a-f]{32}_[0-9a-f]{10}",
    "langfuse": rf"sk-lf-{UUID}",
    "pinecone": r"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,70}",
    "tavily": r"tvly-[A-Za-z0-9]{32}",
    "elevenlabs": r"sk_[0-9a-f]{48}",
    "deepseek": r"sk-[0-9a-f]{32}",
    "cerebras": r"csk-[A-Za-z0-9]{48}",
    "azure-ai": r"(?=.{84}$)[A-Za-z0-9]{52}JQQJ99B[A-L]AC[A-Za-z0-9]{10}AAAAACOG[A-Za-z0-9]{4}",
    "azure-devops": r"(?=.{84}$)[A-Za-z0-9]{52}JQQJ99B[A-L]AC[A-Za-z0-9]{14}AZDO[A-Za-z0-9]{4}",
    "azure-application": r"[\w~.-]{3}\dQ~[\w~.-]{31,34}",
    "azure-storage": r"[A-Za-z0-9+/]{86}==",
    "google-api": r"AIza[\w-]{35}",
    "google-oauth-secret": r"GOCSPX-[\w-]{28}",
    "google-access": r"ya29\.[\w-]{60,}",
    "google-refresh": r"1//0[\w-]{60,}",
    "aws-id": r"AKIA[A-Z2-7]{16}",
    "aws-id-session": r"ASIA[A-Z2-7]{16}",
    "aws-session": r"IQoJb3JpZ2luX2Vj[A-Za-z0-9+/]{100,}",
    "aws-secret": r"[A-Za-z0-9+/]{40}",
    "cloudflare-key": r"cfk_[A-Za-z0-9]{40}[0-9a-f]{8}",
    "cloudflare-origin-ca": r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
    "digitalocean-personal": r"dop_v1_[0-9a-f]{64}",
    "heroku": r"HRKU-AA[\w-]{58}",
    "fly": r"fm2_[A-Za-z0-9+/]{100,}",
    "vercel": r"vc[pkaric]_[A-Za-z0-9]{56}",
    "netlify": r"nfp_[A-Za-z0-9]{36}",
    "supabase-personal": r"sbp_[0-9a-f]{40}",
    "supabase-secret": r"sb_secret_[\w-]{31}",
    "planetscale-token": r"pscale_tkn_[\w-]{32,64}",
    "neon": r"napi_[A-Za-z0-9]{64}",
    "databricks": r"dapi[0-9a-f]{32}",
    "terraform": r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9]{60,70}",
    "pulumi": r"pul-[0-9a-f]{40}",
    "doppler": r"dp\.pt\.[A-Za-z0-9]{43}",
    "vault-service": r"hvs\.[\w-]{80,}",
    "vault-batch": r"hvb\.[\w-]{80,}",
    "onepassword-service": r"ops_eyJ[\w-]{100,}",
    "tailscale": r"tskey-auth-[A-Za-z0-9]+-[A-Za-z0-9]+",
    "github-refresh-76": r"ghr_[A-Za-z0-9]{76}",
    "github-fine-grained": r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    "github-app-signed": r"ghs_\d+_eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+",
    "gitlab-personal": r"glpat-[\w-]{20}",
    "gitlab-routable": r"glpat-[\w-]{27,}\.0[0-9a-z]\.[0-9a-z]{9}",
    "gitlab-trigger": r"glptt-[0-9a-f]{40}",
    "bitbucket": r"ATBB[A-Za-z0-9]{24}[0-9A-F]{8}",
    "atlassian": r"ATATT3xFfGF0[\w-]{171}=[0-9A-F]{8}",
    "rubygems": r"rubygems_[0-9a-f]{48}",
    "nuget": r"oy2[a-z0-9]{43}",
    "crates": r"cio[A-Za-z0-9]{32}",
    "docker-personal": r"dckr_pat_[\w-]{27,32}",
    "circleci": r"CCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}",
    "buildkite": r"bkua_[0-9a-f]{40}",
    "sonar": r"sq[upa]_[0-9a-f]{40}",
    "sourcegraph": r"sgp_[0-9a-f]{40}",
    "artifactory": r"AKCp[A-Za-z0-9]{68}",
    "pypi": r"pypi-AgE[\w-]{60,}",
    "slack-bot": r"xoxb-\d{12}-\d{12}-[A-Za-z0-9]{24}",
    "slack-user": r"xoxp-\d{12}-\d{12}-\d{12}-[0-9a-f]{32}",
    "slack-app": r"xapp-1-A[A-Z0-9]{10}-\d{13}-[0-9a-f]{64}",
    "slack-webhook": r"https://hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{24}",
    "discord-bot": r"[\w-]{24,26}\.[\w-]{6}\.[\w-]{38}",
    "telegram-bot": r"\d{8,10}:AA[\w-]{33}",
    "twilio-key": r"SK[0-9a-f]{32}",
    "sendgrid": r"SG\.[\w-]{22}\.[\w-]{43}",
    "mailgun": r"key-[0-9a-f]{32}",
    "mailchimp": r"[0-9a-f]{32}-us\d{1,2}",
    "brevo": r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
    "stripe-secret": r"sk_live_[A-Za-z0-9]{24}",
    "stripe-restricted": r"rk_live_[A-Za-z0-9]{99}",
    "stripe-webhook": r"whsec_[A-Za-z0-9]{32}",
    "stripe-test": r"sk_test_[A-Za-z0-9]{99}",
    "square-access": r"EAAA[\w-]{60}",
    "square-secret": r"sq0csp-[\w-]{43}",
    "paypal": r"access_token\$production\$[a-z0-9]{16}\$[0-9a-f]{32}",
    "shopify-access": r"shpat_[0-9a-f]{32}",
    "linear": r"lin_api_[A-Za-z0-9]{40}",
    "notion": r"ntn_\d{11}[A-Za-z0-9]{35}",
    "figma": r"figd_[\w-]{40}",
    "airtable": r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    "hubspot": rf"pat-(?:na1|eu1)-{UUID}",
    "postman": r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    "newrelic-user": r"NRAK-[A-Z0-9]{27}",
    "newrelic-license": r"[0-9a-f]{36}NRAL",
    "sentry-user": r"sntryu_[0-9a-f]{64}",
    "sentry-organization": r"sntrys_eyJ[A-Za-z0-9+/=]+_[A-Za-z0-9+/]{43}",
    "grafana-service": r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
    "grafana-cloud": r"glc_eyJ[A-Za-z0-9+/=]+",
    "dynatrace": r"dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
    "age": r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    "jwt": r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{43,342}",
}
CHECKED = ("github-classic", "github-oauth", "github-user", "github-app", "npm")
ANYTHING = re.compile(r"[!-~\n ]{8,}")


def values(name: str, count: int = 20) -> Iterator[str]:
    return (BY_NAME[name].plant(seeded(name, n)).secret for n in range(count))


def test_there_are_many_kinds_each_with_a_name_of_its_own() -> None:
    assert len(KINDS) == len(BY_NAME) > 110
    assert len(FORMS) >= 100


@pytest.mark.parametrize("name", FORMS)
def test_its_form(name: str) -> None:
    for value in values(name):
        assert re.fullmatch(FORMS[name], value, re.ASCII)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_stands_in_its_text_and_is_drawn_anew(kind: Kind) -> None:
    made = [kind.plant(seeded(kind.name, n)) for n in range(8)]
    assert all(planted.secret in planted.text for planted in made)
    assert all(ANYTHING.fullmatch(planted.secret) for planted in made)
    assert len({planted.secret for planted in made}) == len(made)
    assert made[3] == kind.plant(seeded(kind.name, 3))


@pytest.mark.parametrize("name", CHECKED)
def test_its_checksum_is_right(name: str) -> None:
    for value in values(name):
        body, sum_ = value.partition("_")[2][:30], value[-6:]
        number = 0
        for digit in sum_:
            number = number * 62 + DIGITS.index(digit)
        assert number == zlib.crc32(body.encode())


@pytest.mark.parametrize("name", ["jwt", "jwt-endless", "jwt-expired", "supabase-role"])
def test_a_ticket_has_a_head_claims_and_a_signature(name: str) -> None:
    for value in values(name, 5):
        head, claims, signature = (unpadded(part) for part in value.split("."))
        assert json.loads(head)["alg"] in ("HS256", "HS512", "RS256", "ES256")
        expires = json.loads(claims).get("exp", 2**32)
        assert (expires < 1_700_000_000) == (name == "jwt-expired")
        assert len(signature) in (32, 64, 256)


def unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith("pem-")])
def test_a_private_key_decodes(name: str) -> None:
    for value in values(name, 8):
        body = re.sub(r"-----[A-Z ]+-----|\\n|\s", "", value)
        assert base64.b64decode(body, validate=True)[:1] in (b"\x30", b"o")


def test_keys_that_are_base64_of_something_decode_to_it() -> None:
    for value in values("aws-bedrock", 5):
        assert base64.b64decode(value[4:]).startswith(b"BedrockAPIKey-")
    for value in values("docker-auth", 5):
        assert b":" in base64.b64decode(value, validate=True)
    for value in values("pypi", 5):
        assert unpadded(value[5:])[:2] == b"\x02\x01"
    for value in values("discord-bot", 5):
        assert unpadded(value.split(".")[0]).isdigit()


def test_the_strong_kinds_have_one_length_each() -> None:
    for kind in STRONG:
        assert len({len(kind.plant(seeded(n)).secret) for n in range(9)}) == 1
