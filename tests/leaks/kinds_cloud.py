"""Keys of clouds, hosts, databases and vaults."""

import base64
from random import Random
from typing import Final

from tests.leaks.draw import fill
from tests.leaks.kind import BARE, HERE, Kind, Planted, assigned, bare

MONTH: Final = "{one:A,B,C,D,E,F,G,H,I,J,K,L}"
AZURE: Final = "{a:52}JQQJ99B" + MONTH + "AC"
ACCOUNT: Final = (
    "DefaultEndpointsProtocol=https;AccountName=shop{v:6};AccountKey=§;"
    "EndpointSuffix=core.windows.net"
)

TOKENS: Final = (
    ("azure-ai", AZURE + "{a:10}AAAAACOG{a:4}"),
    ("azure-devops", AZURE + "AAAAAAAAA{a:5}AZDO{a:4}"),
    ("azure-application", "{a:3}{n:1}Q~{w:31-34}"),
    ("google-oauth-secret", "GOCSPX-{w:28}"),
    ("google-access", "ya29.{w:60-210}"),
    ("google-refresh", "1//0{w:60-98}"),
    ("aws-id", "AKIA{2:16}"),
    ("aws-id-session", "ASIA{2:16}"),
    ("aws-session", "IQoJb3JpZ2luX2Vj{b:300-600}"),
    ("cloudflare-key", "cfk_{a:40}{x:8}"),
    ("cloudflare-user", "cfut_{a:40}{x:8}"),
    ("cloudflare-account", "cfat_{a:40}{x:8}"),
    ("cloudflare-origin-ca", "v1.0-{x:24}-{x:146}"),
    ("digitalocean-personal", "dop_v1_{x:64}"),
    ("digitalocean-oauth", "doo_v1_{x:64}"),
    ("digitalocean-refresh", "dor_v1_{x:64}"),
    ("heroku", "HRKU-AA{w:58}"),
    ("fly", "fm2_{b:120-300}"),
    ("vercel", "vc{one:p,k,a,r,i,c}_{a:56}"),
    ("netlify", "nfp_{a:36}"),
    ("supabase-personal", "sbp_{x:40}"),
    ("supabase-secret", "sb_secret_{w:31}"),
    ("planetscale-token", "pscale_tkn_{w:32-64}"),
    ("planetscale-password", "pscale_pw_{w:32-64}"),
    ("planetscale-oauth", "pscale_oauth_{w:32-64}"),
    ("neon", "napi_{a:64}"),
    ("databricks", "dapi{x:32}"),
    ("terraform", "{a:14}.atlasv1.{a:60-70}"),
    ("pulumi", "pul-{x:40}"),
    ("doppler", "dp.pt.{a:43}"),
    ("vault-service", "hvs.{w:80-110}"),
    ("vault-batch", "hvb.{w:130-220}"),
    ("tailscale", "tskey-auth-k{a:11}CNTRL-{a:32}"),
)
# The public keys of Firebase's web applications look the same.
REPORTED: Final = (("google-api", "AIza{w:35}"),)
NAMED: Final = (
    ("aws-secret", "{b:40}", "AWS_SECRET_ACCESS_KEY"),
    ("cloudflare-old-token", "{w:40}", "CLOUDFLARE_API_TOKEN"),
    ("cloudflare-old-key", "{x:37}", "CLOUDFLARE_API_KEY"),
    ("heroku-old", "{uuid}", "HEROKU_API_KEY"),
    ("vercel-old", "{a:24}", "VERCEL_TOKEN"),
    ("linode", "{x:64}", "LINODE_TOKEN"),
    ("hetzner", "{a:64}", "HCLOUD_TOKEN"),
    ("vultr", "{U:36}", "VULTR_API_KEY"),
    ("scaleway", "{uuid}", "SCW_SECRET_KEY"),
    ("alibaba-secret", "{a:30}", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    ("render", "rnd_{a:32}", "RENDER_API_KEY"),
    ("railway", "{uuid}", "RAILWAY_TOKEN"),
    ("upstash", "{b:60}", "UPSTASH_REDIS_REST_TOKEN"),
    ("atlas", "{uuid}", "MONGODB_ATLAS_PRIVATE_KEY"),
    ("elastic", "{b:58}==", "ELASTIC_API_KEY"),
    ("confluent", "{b:64}", "CONFLUENT_API_SECRET"),
)


def bedrock(chance: Random) -> Planted:
    """Amazon Bedrock's long-lived key: base64 of a user's name, an account and a secret."""
    user = fill("BedrockAPIKey-{l:4}-at-{d:12}:", chance) + fill("{b:44}", chance)
    made = "ABSK" + base64.b64encode(user.encode()).decode()
    return Planted(made, chance.choice(BARE).replace(HERE, made))


def one_password(chance: Random) -> Planted:
    """A service account of 1Password: JSON in base64."""
    account = fill('{"signInAddress":"shop.1password.eu","muk":{"k":"{w:43}"},', chance)
    account += fill('"secretKey":"A3-{U:6}-{U:6}-{U:5}","throttleSecret":"{w:40}"}', chance)
    made = "ops_" + base64.urlsafe_b64encode(account.encode()).decode().rstrip("=")
    return Planted(made, chance.choice(BARE).replace(HERE, made))


ALL: Final[tuple[Kind, ...]] = (
    *bare(TOKENS),
    *bare(REPORTED, want="report"),
    Kind("azure-storage", "{b:86}==", (ACCOUNT, f'conn = "{ACCOUNT}"')),
    Kind("aws-bedrock", bedrock),
    Kind("onepassword-service", one_password),
    *assigned(NAMED),
)
