"""Draws the values of a template's fields: classes of characters, checksums, tokens, keys, numbers.

Everything comes from one injected Random; what is drawn never looks like a placeholder.
"""

import base64
import binascii
import json
import string
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from openai_gateway.leaks.checks.doubts import changes, entropy, is_hex, is_placeholder, is_wordy
from openai_gateway.leaks.checks.identities import DNI_LETTERS, IBAN_LENGTHS, luhn
from openai_gateway.leaks.checks.validators import base62

BASE62: Final = string.digits + string.ascii_letters
CLASSES: Final[Mapping[str, str]] = {
    "alnum": BASE62,
    "alpha": string.ascii_letters,
    "base32": string.ascii_uppercase + "234567",
    "base64": BASE62 + "+/",
    "base64url": BASE62 + "-_",
    "bech32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",  # BIP 173
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "lower": string.ascii_lowercase,
    "lownum": string.ascii_lowercase + string.digits,
    "password": BASE62 + "!#%*-_.~^",
    "upper": string.ascii_uppercase + string.digits,
}
# A run that is no placeholder comes at once nearly always; the last one drawn is taken else.
TRIES: Final = 200
LINE: Final = 64
LINES: Final = 12
YEAR: Final = 365 * 86400
FRAMES: Final[Mapping[str, tuple[str, str]]] = {
    "DSA": ("DSA PRIVATE KEY", "MIIBvAIBAAKB"),
    "EC": ("EC PRIVATE KEY", "MHcCAQEEI"),
    "ENCRYPTED": ("ENCRYPTED PRIVATE KEY", "MIIFHDBOBgkqhkiG"),
    "OPENSSH": ("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA"),
    "PGP": ("PGP PRIVATE KEY BLOCK", "lQOYBGP"),
    "PKCS8": ("PRIVATE KEY", "MIIEvQIBADANBgkqhkiG"),
    "RSA": ("RSA PRIVATE KEY", "MIIEpAIBAAKCAQEA"),
}
CARDS: Final[Mapping[str, tuple[str, int]]] = {
    "": ("4", 16), "visa": ("4", 16), "mastercard": ("53", 16), "amex": ("37", 15),
    "discover": ("6011", 16), "jcb": ("3541", 16), "diners": ("36", 14), "unionpay": ("62", 16),
}  # fmt: skip


class Undrawable(ValueError):
    """The option of a field is not known; the message says what is wrong."""


def run(letters: str, length: int, random: Random) -> bytes:
    """So many characters, that look drawn."""
    made = b""
    for _ in range(TRIES):
        made = "".join(random.choices(letters, k=length)).encode()
        if looks_drawn(made, letters):
            return made
    return made


def looks_drawn(made: bytes, letters: str) -> bool:
    """What a filter could drop by bad luck is drawn again. Short runs cannot look like much."""
    if len(made) < 8:
        return True
    if len(made) <= 128 and is_placeholder(made, weak=True):
        return False
    if len(set(made)) < min(len(made), len(letters), 16) // 2 or is_wordy(made):
        return False
    mixed = any(one in letters for one in string.digits) and len(letters) > 10
    if mixed and not (any(48 <= one <= 57 for one in made) and any(one > 57 for one in made)):
        return False
    if len(letters) > 36 and (made.upper() == made or made.lower() == made or changes(made) < 0.45):
        return False
    if len(made) < 16 or len(letters) <= 10:
        return True
    return entropy(made) >= (3.1 if is_hex(made) or len(letters) == 16 else 3.4)


def checksum(drawn: bytes) -> bytes:
    return base62(zlib.crc32(drawn))


def made_uuid(option: str, random: Random) -> bytes:  # noqa: ARG001
    return str(uuid.UUID(int=random.getrandbits(128), version=4)).encode()


def jwt(option: str, random: Random) -> bytes:
    """Signed, with claims; `expired` since long, `none` without a signature, `anon` is public."""
    if option not in ("", "expired", "none", "anon"):
        raise Undrawable("knows expired, none and anon")
    end = random.randint(YEAR, 2 * YEAR) + (0 if option == "expired" else int(time.time()))
    claims: dict[str, object] = {"sub": run(BASE62, 12, random).decode(), "exp": end}
    if option == "anon":
        claims["role"] = "anon"
    header = {"alg": "none" if option == "none" else "RS256", "typ": "JWT"}
    parts = [base64url(json.dumps(one).encode()) for one in (header, claims)]
    signature = b"" if option == "none" else run(CLASSES["base64url"], 171, random)
    return b".".join([*parts, signature])


def pem(option: str, random: Random) -> bytes:
    """A private key's frame around drawn base64."""
    if option not in FRAMES:
        raise Undrawable(f"knows {', '.join(FRAMES)}")
    label, beginning = FRAMES[option]
    body = beginning + run(CLASSES["base64"], LINE * LINES - len(beginning), random).decode()
    lines = [body[at : at + LINE] for at in range(0, len(body), LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"]).encode()


def card(option: str, random: Random) -> bytes:
    """A number that its issuer's check digit ends."""
    if option not in CARDS:
        raise Undrawable(f"knows {', '.join(filter(None, CARDS))}")
    beginning, length = CARDS[option]
    body = beginning + numerals(length - len(beginning) - 1, random)
    return next(f"{body}{last}" for last in range(10) if luhn(f"{body}{last}")).encode()


def iban(option: str, random: Random) -> bytes:
    """An account of that country; the bank's code is digits, as in most."""
    country = option or "DE"
    if country not in IBAN_LENGTHS:
        raise Undrawable("needs a country of the IBAN registry, like DE")
    body = numerals(IBAN_LENGTHS[country] - 4, random)
    turned = "".join(str(int(one, 36)) for one in f"{body}{country}00")
    return f"{country}{98 - int(turned) % 97:02}{body}".encode()


def german_tax_id(option: str, random: Random) -> bytes:  # noqa: ARG001
    """Ten digits of which one stands twice, and the check digit."""
    digits = random.sample(range(1, 10), 9)
    digits.insert(random.randint(2, 9), digits[0])
    product = 10
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return "".join(map(str, [*digits, (11 - product) % 10])).encode()


def dni(option: str, random: Random) -> bytes:  # noqa: ARG001
    number = numerals(8, random)
    return f"{number}{DNI_LETTERS[int(number) % 23]}".encode()


def cpf(option: str, random: Random) -> bytes:  # noqa: ARG001
    digits = [int(one) for one in numerals(9, random)]
    for length in (9, 10):
        total = sum(digits[at] * (length + 1 - at) for at in range(length))
        digits.append(total * 10 % 11 % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}".encode()


def nir(option: str, random: Random) -> bytes:  # noqa: ARG001
    """Man or woman, year, month, place of birth, order, key."""
    born = f"{random.choice('12')}{random.randint(40, 99)}{random.randint(1, 12):02}"
    body = f"{born}{random.randint(1, 95):02}{random.randint(1, 600):03}{random.randint(1, 900):03}"
    return f"{body}{97 - int(body) % 97:02}".encode()


def ssn(option: str, random: Random) -> bytes:  # noqa: ARG001
    area = random.choice([one for one in range(100, 800) if one != 666])
    return f"{area}-{random.randint(10, 98)}-{random.randint(2000, 8999)}".encode()


def numerals(length: int, random: Random) -> str:
    """Digits, no zero first, of five kinds and more where there are so many."""
    text = ""
    for _ in range(TRIES):
        text = random.choice("123456789") + "".join(random.choices(string.digits, k=length - 1))
        if len(set(text)) >= min(5, length // 2):
            break
    return text


def base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


MADE: Final[Mapping[str, Callable[[str, Random], bytes]]] = {
    "card": card,
    "cpf": cpf,
    "dni": dni,
    "german_tax_id": german_tax_id,
    "iban": iban,
    "jwt": jwt,
    "nir": nir,
    "pem": pem,
    "ssn": ssn,
    "uuid": made_uuid,
}
ENCODED: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "b64": base64.b64encode,
    "b64url": base64url,
    "hexed": binascii.hexlify,
}
