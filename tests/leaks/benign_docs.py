"""Harmless prose and documentation, also where it speaks of keys, tokens and passwords."""

import base64
import json
from random import Random
from typing import Final

from tests.leaks import filler
from tests.leaks.draw import fill
from tests.leaks.harmless import Text, form, forms
from tests.leaks.kinds_tickets import coded, segment

FOREIGN: Final = (
    "Можете ли вы объяснить, почему пароль не подходит и что делать с ключом от подвала?",  # noqa: RUF001 - Russian
    "パスワードを忘れた場合は、どうすればよいですか。秘密の質問に答えてください。",
    "Ο κωδικός πρόσβασης πρέπει να έχει τουλάχιστον δώδεκα χαρακτήρες, παρακαλώ εξηγήστε.",  # noqa: RUF001 - Greek
    "كيف يمكنني تغيير كلمة المرور الخاصة بي؟ المفتاح لا يعمل منذ أمس.",
    "Das Passwort-Zurücksetzungsformular überprüft Geschäftsführerzugangsberechtigungen. 😀🔑",
)
ABOUT: Final = (
    "The secret to good bread is patience: flour, water, salt, time. My password manager says that "
    "the token of affection was lost. What is a secret worth, and who holds the key to it?",
    "Explain why a password such as correct horse is better than a short one. How long should a "
    "token live? Our policy: password: at least 12 characters; secret: never shared; key: rotated.",
    "I forgot my password and the reset token in the e-mail expired after {n:2} minutes. The API "
    "key page says 'create a new secret key'. What do I do? Ticket {U:4}-{n:4}.",
    "Write a story in which a private key opens a box of letters. The box has number {n:6}.",
)
MANUAL: Final = (
    "Set the header `Authorization: Bearer YOUR_API_KEY` (or `Bearer $TOKEN`). Keys begin with "
    '`sk-...` or `sk-proj-...`; e.g. `api_key="<your key>"`. Never commit `ghp_...` tokens. {v:5}',
    "export OPENAI_API_KEY='sk-...'\ncurl https://api.openai.com/v1/models \\\n"
    '  -H "Authorization: Bearer $OPENAI_API_KEY"\n# then {v:6}\n',
    "client = OpenAI(api_key='YOUR_API_KEY', base_url='https://{v:6}.lan')\n"
    "password='********'\nsecret='[REDACTED:github-pat]'\ntoken='${TOKEN}'\nkey='{{ api_key }}'\n",
    "Log line: key sk-proj-…abcd was used; masked as sk-****************************wxyz ({v:6}).",
    "api_key: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nclient_secret: 00000000000000000000000000000000\n"
    "token: 1234567890abcdef1234567890abcdef\npassword: hunter-example-{v:4}\n",
)
ADDRESSES: Final = (
    "postgres://user:password@localhost:5432/db mysql://root:root@127.0.0.1/{v:5} redis://:pass@h",
    "amqp://guest:guest@localhost:5672/{v:4} postgresql://$USER:$PASSWORD@db/shop",
    "DATABASE_URL=postgresql://<user>:<password>@<host>/{v:5} mongodb://{user}:{pass}@host",
    "https://shop.lan:8443/{v:5}@2x.png ssh://git@github.com:22/{v:5} mailto:a@b.lan?subject=x:y",
)
PATTERNS: Final = (
    "Rules: `ghp_[A-Za-z0-9]{36}`, `sk-[a-zA-Z0-9]{20}T3Blbk` + `FJ`, `AKIA[0-9A-Z]{16}`, "
    "`xox[baprs]-[0-9]{10,13}`, `-----BEGIN [A-Z ]*PRIVATE KEY-----`, `eyJ[A-Za-z0-9_-]+`. "
    "Which of them is too wide for {v:6}?"
)
OPENAPI: Final = (
    "openapi: 3.1.0\ninfo:\n  title: {v:6}\ncomponents:\n  securitySchemes:\n    apiKey:\n"
    "      type: apiKey\n      in: header\n      name: X-Api-Key\n    oauth:\n      type: oauth2\n"
    "      flows:\n        clientCredentials:\n          tokenUrl: https://{v:6}.lan/oauth/token\n"
    "  schemas:\n    Login:\n      properties:\n"
    "        password: {type: string, format: password}\n"
    "        token: {type: string, example: string}\n        id: {type: string, format: uuid}\n"
    "        example: {uuid}\n"
)
LOCALES: Final = (
    '{"password": "Passwort", "token_expired": "Die Sitzung ist abgelaufen", '
    '"api_key": "API-Schlüssel", '
    '"forgot_password_title": "Passwort vergessen?", "secret_question": "Geheime Frage",'
    '"reset_token_sent": "Wir haben dir einen Link geschickt.", "x_{v:5}": "Kennwort bestätigen"}'
)
FORM: Final = (
    '<form id="{v:5}"><input type="password" name="password" placeholder="Enter your password">'
    '<input type="hidden" name="csrf_field" value="off"><label for="token">Token</label>'
    '<input name="api_key" autocomplete="off" maxlength="{n:3}"><button>Save</button></form>'
)
PAGE: Final = (
    '<html><head><link rel="stylesheet" href="/s/{x:20}.css" integrity="sha384-{b:64}">'
    '<script src="/j/{v:6}.js" integrity="sha256-{b:43}=" nonce="{v:8}"></script></head>'
    "<body><h1>Password help</h1><p>Choose a secret phrase.</p></body></html>"
)
LATEX: Final = (
    "Let $\\mathcal{{c:1}}_{n:1} = \\sum_{i=1}^{{n:2}} x_i^{{n:1}}$, where $\\alpha_{key}$ is a "
    "token of $\\mathbb{R}^{n:2}$. Show that $\\int_0^1 e^{-{n:1}x^2}\\,dx < {n:1}/{n:2}$ for "
    "every secret $s$."
)
PUBLISHABLE: Final = (
    "const stripe = Stripe('pk_live_51{a:97}');",
    "NEXT_PUBLIC_STRIPE_KEY=pk_test_51{a:97}",
    "supabase = createClient(url, 'sb_publishable_{w:22}_{w:8}');",
    "mapboxgl.accessToken = 'pk.§.{w:22}';",
    "Sentry.init({dsn: 'https://{x:32}@o{n:6}.ingest.sentry.io/{n:7}'});",
    "<div class=\"g-recaptcha\" data-sitekey=\"6L{w:38}\"></div>",
    "posthog.init('phc_{a:43}', {api_host: 'https://eu.i.posthog.com'});",
    "gtag('config', 'G-{U:10}'); dataLayer.push({id: 'GTM-{U:7}'});",
)  # fmt: skip
FIREBASE: Final = (
    "const firebaseConfig = {\n  apiKey: 'AIza{w:35}',\n  authDomain: '{v:6}.firebaseapp.com',\n"
    "  projectId: '{v:6}',\n  storageBucket: '{v:6}.appspot.com',\n  messagingSenderId: '{n:12}',\n"
    "  appId: '1:{n:12}:web:{x:22}',\n};\n"
)
TEST_KEYS: Final = (
    "STRIPE_SECRET_KEY=sk_test_51{a:97}\n",
    "stripe.api_key = 'sk_test_{a:24}'  # test mode",
    "curl https://api.stripe.com/v1/charges -u rk_test_51{a:97}:",
)


def mapbox(text: str) -> str:
    claims = base64.b64encode(b'{"u":"shop","a":"public"}').decode().rstrip("=")
    return text.replace("§", claims)


def publishable(chance: Random) -> str:
    return mapbox(fill(chance.choice(PUBLISHABLE), chance))


def tickets(chance: Random) -> str:
    """JWT as documentation has them: placeholders, no signature, the well-known example."""
    known = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}."
    known += segment({"sub": "1234567890", "name": "John Doe", "iat": 1516239022})
    unsigned = f"{segment({'alg': 'none'})}.{segment({'sub': fill('{d:8}', chance)})}."
    return chance.choice(
        (
            "A JWT is header.payload.signature, such as eyJhbGciOi... or <jwt>.",
            f"Header and payload of it: {known}",
            f"Never accept this one: {unsigned}",
            'Authorization: Bearer <header>.<payload>.<signature>\n{"alg": "RS256", "kid": "6-1"}',
        )
    )


def expired(chance: Random) -> str:
    claims = {"sub": fill("{d:10}", chance), "iat": 1_500_000_000, "exp": 1_500_003_600}
    made = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment(claims)}"
    return f"Why does the server say that this is too old? {made}.{coded(chance.randbytes(32))}"


def long_prose(chance: Random) -> str:
    return filler.text(chance, 2 ** chance.randint(12, 19))


def transcript(chance: Random) -> str:
    """A conversation kept as JSON within a message."""
    turns = [{"role": "user", "content": filler.sentence(chance)} for _ in range(20)]
    return json.dumps(turns, indent=1)


DOCS: Final[dict[str, Text]] = {
    "question": lambda c: filler.sentence(c) + " " + filler.ask(c),
    "prose": long_prose,
    "code and logs": lambda c: filler.listing(c) + filler.logs(c),
    "conversation": transcript,
    "other languages": forms(FOREIGN),
    "talk of passwords": forms(ABOUT),
    "manual with placeholders": forms(MANUAL),
    "addresses of examples": forms(ADDRESSES),
    "patterns of keys": form(PATTERNS.replace("` + `", "")),
    "OpenAPI": form(OPENAPI),
    "translations": form(LOCALES),
    "HTML form": form(FORM),
    "HTML page": form(PAGE),
    "LaTeX": form(LATEX),
    "JWT in documentation": tickets,
    "JWT, expired": expired,
    "publishable keys": publishable,
    "Firebase settings": form(FIREBASE),
    "test keys": forms(TEST_KEYS),
}
