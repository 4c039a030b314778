"""Harmless data: identifiers, hashes, tables, logs, addresses, media in base64."""

import base64
import struct
from random import Random
from typing import Final

from tests.leaks import papers
from tests.leaks.draw import fill
from tests.leaks.harmless import Text, form, forms, lines, listed

LOGS: Final = (
    '{"ts":"2026-11-0{n:1}T08:{n:1}5:00Z","trace_id":"{x:32}","span_id":"{x:16}","msg":"token ok"}',
    "2026-11-02 INFO [{uuid}] user={d:6} session={uuid} action=password_change status=200",
    "Nov  2 09:14:0{n:1} host sshd[{n:4}]: Accepted publickey for ci: ED25519 SHA256:{b:43}",
    '10.0.{n:1}.{n:2} - - [02/Nov/2026] "GET /s/app.{x:20}.js HTTP/1.1" 200 {n:5} "-" "Mozilla"',
)
HEADERS: Final = (
    'HTTP/2 200\netag: W/"{x:40}"\nx-request-id: req_{x:32}\ncf-ray: {x:16}-OSL\n'
    "traceparent: 00-{x:32}-{x:16}-01\nx-amz-id-2: {b:75}=\nx-amz-request-id: {U:16}\n"
    "last-modified: Mon, 02 Nov 2026 09:30:00 GMT\ncontent-md5: {b:22}==\n"
)
MODEL_IDS: Final = (
    "chatcmpl-{a:29} resp_{x:48} msg_{x:48} call_{a:24} file-{a:22} run_{a:24} thread_{a:24} "
    "asst_{a:24} batch_{x:32} vs_{x:32} fc_{x:48} rs_{x:48} req_{x:32} ftjob-{a:24} "
    "ft:gpt-4.1-mini-2025-04-14:shop::{a:8} fp_{x:10} gpt-5.4-mini-2026-03-11 org-{a:24} "
    "proj_{a:24}"
)
PHONES: Final = "{v:6} {v:7};+47 {n:3} {d:2} {d:3};+1 ({n:3}) {n:3}-{d:4};+44 20 {d:4} {d:4}"
NUMBERS: Final = "{n:2}.{d:6},{n:5},-{n:1}.{d:12},{n:1}e-{n:1},{d:10},{n:3}.{d:2},{n:12}"
PRODUCTS: Final = (
    "{U:5}-{U:5}-{U:5};{n:13};ISBN 978-{n:1}-{d:4}-{d:4}-{n:1};{one:red,blue};{n:3},95"
)
API_ANSWER: Final = (
    '{"object":"list","next_cursor":"{b:60}==","page_token":"{w:44}","etag":"{x:32}",'
    '"data":[{"id":"{uuid}","version_id":"{w:32}","checksum":"sha256:{x:64}",'
    '"idempotency_key":"{uuid}","public_key":"{b:43}=","cache_key":"{x:40}"}]}'
)
AWS_NAMES: Final = (
    "arn:aws:iam::{n:12}:role/{v:6}-deploy vpc-{x:17} subnet-{x:17} sg-{x:17} i-{x:17} ami-{x:17}\n"
    "arn:aws:secretsmanager:eu-north-1:{n:12}:secret:shop/{v:6}-{a:6}\n"
    "arn:aws:kms:eu-north-1:{n:12}:key/{uuid}\nAIDA{2:16} AROA{2:16}\n"
)
PRESIGNED: Final = (
    "https://shop-data.s3.eu-north-1.amazonaws.com/{v:6}.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIA{2:16}%2F20261102%2Feu-north-1%2Fs3%2Faws4_request&X-Amz-Date="
    "20261102T093000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature={x:64}"
)
GOOGLE_SIGNED: Final = (
    "https://storage.googleapis.com/shop/{v:6}.pdf?X-Goog-Algorithm=GOOG4-RSA-SHA256"
    "&X-Goog-Credential=ci%40shop.iam.gserviceaccount.com%2F20261102&X-Goog-Signature={x:512}"
)
SHARED: Final = (
    "https://shop.blob.core.windows.net/pictures/{v:6}.png?sv=2024-11-04&st=2026-11-02T09%3A00Z"
    "&se=2026-11-02T10%3A00Z&sr=b&sp=r&sig={w:20}%2B{w:20}%3D"
)
CHAIN: Final = (
    "0x{x:64} 0x{x:40} bc1q{l:38} 1{a:33} block {n:8}\n"
    "ipfs://Qm{a:44} bafybei{l:52}\nenode://{x:128}@10.0.0.{n:1}:30303\n"
)
PROTEIN: Final = ">sp|P{n:5}|{U:5}_HUMAN\n"
FINGERPRINTS: Final = (
    "256 SHA256:{b:43} ci@shop (ED25519)\n"
    "|1|{b:27}=|{b:27}= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{b:44}\n"
    "gpg: key {X:16}: public key imported\n      Key fingerprint = {X:4} {X:4} {X:4} {X:4} {X:4}\n"
    "sha256 Fingerprint={X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}:{X:2}\n"
)


def pem(label: str, head: str, length: int, chance: Random) -> str:
    body = base64.encodebytes(bytes.fromhex(head) + chance.randbytes(length)).decode()
    dashes = "-" * 5
    return f"{dashes}BEGIN {label}{dashes}\n{body}{dashes}END {label}{dashes}\n"


def certificate(chance: Random) -> str:
    certified = pem("CERTIFICATE", "308203c9308202b1a003020102", 960, chance)
    return certified + pem("PUBLIC KEY", "30820122300d06092a864886f70d01010105", 276, chance)


def ssh_public(chance: Random) -> str:
    raw = b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\x01\x81" + chance.randbytes(385)
    return f"ssh-rsa {base64.b64encode(raw).decode()} kari@shop\n"


def protein(chance: Random) -> str:
    rows = ("".join(chance.choices("ACDEFGHIKLMNPQRSTVWY", k=60)) for _ in range(40))
    return fill(PROTEIN, chance) + "\n".join(rows)


def vectors(chance: Random) -> str:
    """An embedding as numbers, and one in base64 as the SDK asks for it."""
    floats = [chance.uniform(-0.1, 0.1) for _ in range(384)]
    packed = base64.b64encode(struct.pack("<384f", *floats)).decode()
    numbers = ", ".join(f"{number:.8f}" for number in floats)
    return f'{{"embedding": [{numbers}], "base64": "{packed}"}}'


def picture(chance: Random) -> str:
    """A picture in base64 in the text itself, as an HTML page holds it."""
    data = papers.png(pixels=chance.randbytes(64 * 64), side=64)
    return f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}" alt="chart">'


def font(chance: Random) -> str:
    raw = b"wOF2\0\x01\0\0" + chance.randbytes(chance.randint(4_000, 40_000))
    return f"src:url(data:font/woff2;base64,{base64.b64encode(raw).decode()}) format('woff2');"


def hex_dump(chance: Random) -> str:
    data = b"\x7fELF\x02\x01\x01" + chance.randbytes(500)
    rows = (data[n : n + 16].hex(" ") for n in range(0, len(data), 16))
    return "\n".join(f"{n * 16:08x}  {row}" for n, row in enumerate(rows))


def path_data(chance: Random) -> str:
    moves = (f"c{chance.uniform(-9, 9):.2f},{chance.uniform(-9, 9):.3f}" for _ in range(200))
    return f'<svg viewBox="0 0 24 24"><path d="M12 2{"".join(moves)}z"/></svg>'


DATA: Final[dict[str, Text]] = {
    "server logs": lambda c: "\n".join(fill(c.choice(LOGS), c) for _ in range(c.randint(5, 120))),
    "answer's headers": form(HEADERS),
    "checksums": lines("{x:64}  {v:8}-{n:1}.tar.gz\n{x:40} *{v:6}.iso\n{x:32}  {v:5}", 4, 40),
    "identifiers of OpenAI": form(MODEL_IDS),
    "phone list": listed(PHONES, 10, 60, "name;mobile;office;london"),
    "table of numbers": listed(NUMBERS, 20, 400, "a,b,c,d,e,f,g"),
    "products": listed(PRODUCTS, 10, 60, "serial;ean;isbn;colour;price"),
    "answer of an API": lines(API_ANSWER, 1, 8),
    "names of AWS": form(AWS_NAMES),
    "presigned address, S3": form(PRESIGNED),
    "presigned address, Google": form(GOOGLE_SIGNED),
    "shared address, Azure": form(SHARED),
    "block chains": lines(CHAIN, 1, 10),
    "fingerprints": form(FINGERPRINTS),
    "certificate": certificate,
    "SSH public key": ssh_public,
    "protein": protein,
    "embedding": vectors,
    "picture in HTML": picture,
    "font in a style sheet": font,
    "hex dump": hex_dump,
    "drawing": path_data,
    "UUIDs": lines('{"id":"{uuid}","parent":"{uuid}","key":"{uuid}"}', 5, 80),
    "tracking codes": forms(
        ("utm_id={a:22}&gclid={w:90}&fbclid=IwAR{w:56}&_ga=2.{n:9}.{n:10}&msclkid={x:32}",)
    ),
}
