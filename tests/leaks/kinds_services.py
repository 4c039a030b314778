"""Keys of services: messages, mail, payment, work, watching, identity."""

import base64
from random import Random
from typing import Final

from tests.leaks.draw import fill
from tests.leaks.kind import BARE, HERE, Kind, Planted, assigned, bare, under_name

XOX: Final = "xo" + "x"
ST: Final = "k_" + "live_"

TOKENS: Final = (
    ("slack-bot", f"{XOX}b-{{n:12}}-{{n:12}}-{{a:24}}"),
    ("slack-user", f"{XOX}p-{{n:12}}-{{n:12}}-{{n:12}}-{{x:32}}"),
    ("slack-config", f"{XOX}e.{XOX}p-1-{{a:163}}"),
    ("slack-app", "xapp-1-A{U:10}-{n:13}-{x:64}"),
    ("twilio-key", "SK{x:32}"),
    ("sendgrid", "SG.{w:22}.{w:43}"),
    ("mailgun", "key-{x:32}"),
    ("mailchimp", "{x:32}-us{one:1,5,12,21}"),
    ("brevo", "xkeysib-{x:64}-{a:16}"),
    ("stripe-secret", f"s{ST}{{a:24}}"),
    ("stripe-secret-long", f"s{ST}51{{a:97}}"),
    ("stripe-restricted", f"r{ST}51{{a:97}}"),
    ("stripe-webhook", "whsec_{a:32}"),
    ("square-access", "EAAA{w:60}"),
    ("square-secret", "sq0csp-{w:43}"),
    ("paypal", "access_token$production${l:16}${x:32}"),
    ("shopify-access", "shpat_{x:32}"),
    ("shopify-shared", "shpss_{x:32}"),
    ("shopify-custom", "shpca_{x:32}"),
    ("shopify-private", "shppa_{x:32}"),
    ("linear", "lin_api_{a:40}"),
    ("notion", "ntn_{d:11}{a:35}"),
    ("figma", "figd_{w:40}"),
    ("airtable", "pat{a:14}.{x:64}"),
    ("hubspot", "pat-{one:na1,eu1}-{uuid}"),
    ("postman", "PMAK-{x:24}-{x:34}"),
    ("newrelic-user", "NRAK-{U:27}"),
    ("newrelic-license", "{x:36}NRAL"),
    ("sentry-user", "sntryu_{x:64}"),
    ("grafana-service", "glsa_{a:32}_{x:8}"),
    ("dynatrace", "dt0c01.{U:24}.{U:64}"),
)
TEST: Final = (("stripe-test", "sk_test_51{a:97}"),)
NAMED: Final = (
    ("slack-signing", "{x:32}", "SLACK_SIGNING_SECRET"),
    ("twilio-auth", "{x:32}", "TWILIO_AUTH_TOKEN"),
    ("datadog-api", "{x:32}", "DATADOG_API_KEY"),
    ("datadog-app", "{x:40}", "DD_APP_KEY"),
    ("okta", "00{w:40}", "OKTA_API_TOKEN"),
    ("auth0", "{w:64}", "AUTH0_CLIENT_SECRET"),
    ("ngrok", "2{a:26}_{a:21}", "NGROK_AUTHTOKEN"),
    ("algolia", "{x:32}", "ALGOLIA_ADMIN_API_KEY"),
    ("mixpanel", "{x:32}", "MIXPANEL_API_SECRET"),
    ("rollbar", "{x:32}", "ROLLBAR_ACCESS_TOKEN"),
    ("resend", "re_{a:8}_{a:24}", "RESEND_API_KEY"),
    ("posthog", "phx_{a:43}", "POSTHOG_PERSONAL_API_KEY"),
    ("launchdarkly", "api-{uuid}", "LAUNCHDARKLY_ACCESS_TOKEN"),
    ("zendesk", "{a:40}", "ZENDESK_API_TOKEN"),
    ("trello", "ATTA{x:64}", "TRELLO_TOKEN"),
    ("plaid", "{x:30}", "PLAID_SECRET"),
    ("razorpay", "{a:24}", "RAZORPAY_KEY_SECRET"),
    ("adyen", "AQE{a:48}", "ADYEN_API_KEY"),
    ("pagerduty", "{w:20}", "PAGERDUTY_API_TOKEN"),
    ("contentful", "CFPAT-{w:43}", "CONTENTFUL_MANAGEMENT_TOKEN"),
    ("shippo", "shippo_live_{x:40}", "SHIPPO_API_TOKEN"),
    ("easypost", "EZAK{a:54}", "EASYPOST_API_KEY"),
    ("dropbox", "sl.{w:130}", "DROPBOX_ACCESS_TOKEN"),
    ("twitter", "{a:50}", "TWITTER_API_SECRET"),
)
SLACK_HOOK: Final = "https://hooks.slack.com/services/T{U:10}/B{U:10}/{a:24}"
TEAMS_HOOK: Final = (
    "https://shop.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{x:32}/{uuid}"
)
DISCORD_HOOK: Final = "https://discord.com/api/webhooks/{n:18}/{w:68}"
IN_URL: Final = (
    "https://api.telegram.org/bot§/getMe",
    'bot = Bot(token="§")',
    "TELEGRAM_TOKEN=§",
    "the bot answers to §, not to the old one",
)


def intercom(chance: Random) -> Planted:
    """A number of a token in base64."""
    number = fill("tok:{x:8}_{x:4}_{x:4}_{x:4}_{x:12}:1:0", chance)
    made = base64.b64encode(number.encode()).decode()
    text = chance.choice(under_name("INTERCOM_ACCESS_TOKEN"))
    return Planted(made, text.replace(HERE, made))


def told(chance: Random, secret: str) -> Planted:
    return Planted(secret, chance.choice(BARE).replace(HERE, secret))


def discord_bot(chance: Random) -> Planted:
    """The first part is the bot's number in base64, the second the time."""
    number = base64.urlsafe_b64encode(fill("1{d:17}", chance).encode()).decode().rstrip("=")
    return told(chance, f"{number}.G{fill('{a:5}.{w:38}', chance)}")


def sentry_organization(chance: Random) -> Planted:
    claims = fill('{"iat":17{d:8}.5,"url":"https://sentry.io","org":"shop-{v:6}"}', chance)
    coded = base64.b64encode(claims.encode()).decode()
    return told(chance, f"sntrys_{coded}_{fill('{b:43}', chance)}")


def grafana_cloud(chance: Random) -> Planted:
    claims = fill('{"o":"{d:6}","n":"stack-{d:6}-ro","k":"{b:24}","m":{"r":"eu"}}', chance)
    return told(chance, "glc_" + base64.b64encode(claims.encode()).decode())


ALL: Final[tuple[Kind, ...]] = (
    *bare(TOKENS),
    *bare(TEST, want="report"),
    Kind("slack-webhook", SLACK_HOOK),
    Kind("teams-webhook", TEAMS_HOOK),
    Kind("discord-webhook", DISCORD_HOOK),
    Kind("discord-bot", discord_bot),
    Kind("intercom", intercom),
    Kind("telegram-bot", "{n:9}:AA{w:33}", IN_URL),
    Kind("sentry-organization", sentry_organization),
    Kind("grafana-cloud", grafana_cloud),
    *assigned(NAMED),
)
