"""What is no vendor's: private keys, passwords in addresses and settings, and what carries them.

Private keys are random bytes behind the head of a real one: they decode, and open nothing.
"""

import base64
import textwrap
from collections.abc import Callable
from random import Random
from typing import Final

from tests.leaks.draw import fill
from tests.leaks.kind import HERE, Kind, Maker, Planted, assigned

DASHES: Final = "-" * 5
CHOSEN: Final = "{a:5}{one:!,_,.,-}{a:8-14}"
# label, first bytes, length of the body
PEMS: Final = {
    "pem-rsa": ("RSA PRIVATE KEY", "308204a40201000282010100", 1190),
    "pem-pkcs8": ("PRIVATE KEY", "308204be020100300d06092a864886f70d0101010500048204a8", 1218),
    "pem-ec": ("EC PRIVATE KEY", "30770201010420", 121),
    "pem-dsa": ("DSA PRIVATE KEY", "308201bb02010002818100", 447),
    "pem-encrypted": ("ENCRYPTED PRIVATE KEY", "3082050e304006092a864886f70d01050d", 1298),
    "pem-openssh": ("OPENSSH PRIVATE KEY", "6f70656e7373682d6b65792d763100", 380),
}


def pem_body(head: str, length: int, chance: Random) -> str:
    raw = bytes.fromhex(head)
    return base64.b64encode(raw + chance.randbytes(length - len(raw))).decode()


def pem_text(label: str, body: str, width: int = 64) -> str:
    lines = "\n".join(textwrap.wrap(body, width))
    return f"{DASHES}BEGIN {label}{DASHES}\n{lines}\n{DASHES}END {label}{DASHES}\n"


def pem(label: str, head: str, length: int) -> Maker:
    """A key as a file, with its lines indented, or on one line with `\\n` between."""

    def make(chance: Random) -> Planted:
        text = pem_text(label, pem_body(head, length, chance))
        shape = chance.randrange(4)
        if shape == 0:
            text = textwrap.indent(text, "    ")
        if shape == 1:
            text = text.replace("\n", "\\n")
            return Planted(text, f'SIGNING_KEY="{text}"')
        return Planted(text.strip(), f"here it is\n{text}")

    return make


def pgp(chance: Random) -> Planted:
    label = "PGP PRIVATE KEY BLOCK"
    body = pem_body("9503c60465", 960, chance)
    text = pem_text(label, body).replace("\n", "\nVersion: GnuPG v2\n\n", 1)
    return Planted(text.strip(), text)


def service_account(chance: Random) -> Planted:
    """Google's file of a service account."""
    label, head, length = PEMS["pem-pkcs8"]
    key = pem_text(label, pem_body(head, length, chance)).replace("\n", "\\n")
    text = fill(
        '{\n  "type": "service_account",\n  "project_id": "shop-{d:6}",\n'
        '  "private_key_id": "{x:40}",\n  "private_key": "§",\n'
        '  "client_email": "ci@shop.iam.gserviceaccount.com"\n}\n',
        chance,
    )
    return Planted(key, text.replace(HERE, key))


def filled(form: str, *stands: str) -> Maker:
    """Each text is filled too, and holds the value at §."""

    def make(chance: Random) -> Planted:
        secret = fill(form, chance)
        return Planted(secret, fill(chance.choice(stands), chance).replace(HERE, secret))

    return make


def coded(form: str, text: str, code: Callable[[bytes], bytes] = base64.b64encode) -> Maker:
    """The text holds the value only in base64."""

    def make(chance: Random) -> Planted:
        made = code(fill(form, chance).encode()).decode()
        return Planted(made, fill(text, chance).replace(HERE, made))

    return make


def client_key(chance: Random) -> Planted:
    label, head, length = PEMS["pem-rsa"]
    text = pem_text(label, pem_body(head, length, chance))
    made = base64.b64encode(text.encode()).decode()
    return Planted(
        made, f"users:\n- name: admin\n  user:\n    client-key-data: {made}\n    username: admin\n"
    )


OPAQUE: Final = (
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop-db\ntype: Opaque\ndata:\n"
    "  username: c2hvcA==\n  password: §\n"
)
KUBECONFIG: Final = "users:\n- name: ci\n  user:\n    token: §\ncontexts: []\n"
ADO: Final = "Server=tcp:db.shop.lan,1433;Database=shop;User Id=app;Password=§;Encrypt=True"
JDBC: Final = (
    "jdbc:postgresql://db.shop.lan:5432/shop?user=app&password=§",
    'url = "jdbc:mysql://db.shop.lan/shop?password=§&user=app"',
)
URLS: Final = {
    "url-postgres": "DATABASE_URL=postgresql://app:§@db.shop.lan:5432/shop",
    "url-mysql": 'engine = create_engine("mysql+pymysql://app:§@10.2.0.7/shop?charset=utf8")',
    "url-mongodb": "mongodb+srv://app:§@cluster0.k2lfs.mongodb.net/shop?retryWrites=true",
    "url-redis": "REDIS_URL=redis://:§@cache.shop.lan:6379/0",
    "url-amqp": "broker: amqp://shop:§@mq.shop.lan:5672/%2f",
    "url-https": "git clone https://ci:§@git.shop.lan/shop/web.git",
    "url-ftp": "wget ftp://backup:§@files.shop.lan/dump.sql.gz",
    "url-smtp": "MAILER_DSN=smtp://mailer:§@mail.shop.lan:587",
}
NAMED: Final = (
    ("named-password", CHOSEN, "DB_PASSWORD"),
    ("named-smtp", CHOSEN, "SMTP_PASSWORD"),
    ("named-client-secret", "{w:32}", "CLIENT_SECRET"),
    ("named-private-token", "{w:26}", "PRIVATE_TOKEN"),
    ("named-api-key", "{a:32}", "API_KEY"),
    ("named-secret-key", "{w:50}", "SECRET_KEY"),
    ("named-access-token", "{w:40}", "ACCESS_TOKEN"),
    ("named-jwt-secret", "{x:64}", "JWT_SECRET"),
    ("named-rails", "{x:128}", "SECRET_KEY_BASE"),
    ("named-webhook", "{a:32}", "WEBHOOK_SECRET"),
    ("named-auth", "{b:43}=", "NEXTAUTH_SECRET"),
    ("named-encryption", "{x:64}", "ENCRYPTION_SECRET_KEY"),
    ("named-credential", "{a:28}", "SERVICE_CREDENTIAL"),
)

ALL: Final[tuple[Kind, ...]] = (
    *(Kind(name, pem(*shape)) for name, shape in PEMS.items()),
    Kind("pgp", pgp),
    Kind("google-service-account", service_account),
    Kind("age", filled("AGE-SECRET-KEY-1{Q:58}", "# created: 2026-03-01\n§\n", "age -i §")),
    *(Kind(name, filled("{a:12-20}", text)) for name, text in URLS.items()),
    Kind("jdbc", filled("{a:14-20}", *JDBC)),
    Kind("ado", filled("{a:14-20}", f'"Shop": "{ADO}"', ADO)),
    Kind("netrc", filled("{a:16-24}", "machine git.shop.lan\n  login ci\n  password §\n",
                         "machine git.shop.lan login ci password §\n")),
    Kind("basic", coded("ci-deploy:{a:18-26}", "-H 'Authorization: Basic §' https://ci.shop.lan")),
    Kind("bearer", filled("{w:40}", 'curl -H "Authorization: Bearer §" https://api.shop.lan/v2')),
    Kind("kubernetes-secret", coded("{a:18-26}", OPAQUE)),
    Kind("kubernetes-client-key", client_key),
    Kind("kubeconfig-token", filled("{w:48}", KUBECONFIG)),
    *assigned(NAMED),
)  # fmt: skip
