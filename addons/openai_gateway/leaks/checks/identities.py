"""Checksums and ranges of numbers that stand for a person or an account.

Each drops what cannot have been issued, so that lists of numbers are not taken for people.
"""

from collections.abc import Mapping
from typing import Final

from openai_gateway.leaks.checks.checked import Checked, Validator, kept

# Length by country: SWIFT's IBAN registry, release 99.
IBAN_LENGTHS: Final[Mapping[str, int]] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
    "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
# First and last beginning, and the lengths issued under it (ISO/IEC 7812; issuers' own ranges).
ISSUERS: Final = (
    ("34", "34", (15,)), ("37", "37", (15,)),  # American Express
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)), ("2221", "2720", (16,)),  # Mastercard
    ("6011", "6011", (16, 19)), ("644", "659", (16, 19)),  # Discover
    ("3528", "3589", (16, 19)),  # JCB
    ("36", "36", (14,)), ("300", "305", (14,)), ("38", "39", (14,)),  # Diners Club
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
)  # fmt: skip
# SSNs that advertisements and documentation made known, and so are nobody's.
KNOWN_SSNS: Final = frozenset({"078051120", "219099999", "123456789", "457555462"})
DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
# HMRC's NIM39110: what a National Insurance number never begins with.
NINO_NEVER: Final = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
# RFC 2606's domains, and what files end in.
NO_DOMAINS: Final = frozenset({
    b"test", b"invalid", b"localhost", b"local", b"internal", b"lan", b"png", b"jpg", b"jpeg",
    b"gif", b"svg", b"webp", b"js", b"ts", b"css", b"json", b"yaml", b"yml", b"md", b"py", b"sh",
})  # fmt: skip
NOBODY: Final = frozenset({b"noreply", b"no-reply", b"donotreply", b"postmaster", b"mailer-daemon"})


def compact(secret: bytes) -> str:
    """Its letters and digits, as text."""
    return "".join(chr(one) for one in secret if one < 128 and chr(one).isalnum()).upper()


def digits_of(secret: bytes, length: int) -> list[int]:
    """The digits, or none where there are not so many or they are all the same."""
    text = compact(secret)
    if len(text) != length or not text.isdigit() or len(set(text)) < 2:
        return []
    return [int(one) for one in text]


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(one) * 2 for one in number[-2::-2]]
    return (sum(map(int, number[::-2])) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0


def is_issued(number: str) -> bool:
    for first, last, lengths in ISSUERS:
        if len(number) in lengths and first <= number[: len(first)] <= last:
            return True
    return False


def card(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """A range that is issued, Luhn, not few digits over and over, not a part of a longer number."""
    number = compact(secret)
    if not (number.isdigit() and 13 <= len(number) <= 19 and len(set(number)) > 3):
        return "drop"
    return kept(is_issued(number) and luhn(number) and not in_numbers(text, start, end))


def iban(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Length by country, and ISO 7064 mod 97-10."""
    number = compact(secret)
    if len(number) != IBAN_LENGTHS.get(number[:2], 0) or not number[2:4].isdigit():
        return "drop"
    turned = number[4:] + number[:4]
    if len(set(number[4:])) < 3:
        return "drop"
    return kept(int("".join(str(int(one, 36)) for one in turned)) % 97 == 1)


def ssn(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """SSA's areas, groups and serials that are issued (ssa.gov, randomization, 2011)."""
    number = compact(secret)
    if len(number) != 9 or not number.isdigit() or number in KNOWN_SSNS:
        return "drop"
    area, group, serial = number[:3], number[3:5], number[5:]
    never = area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000"
    return kept(not never and len(set(number)) > 2 and not in_numbers(text, start, end))


def german_tax_id(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """ISO 7064 mod 11,10, and one digit of the first ten stands twice or three times."""
    digits = digits_of(secret, 11)
    if not digits or digits[0] == 0 or len(set(digits[:10])) not in (8, 9):
        return "drop"
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return kept((11 - product) % 10 == digits[10])


def spanish_dni(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """DNI, or NIE with X, Y or Z first: its last letter is the number modulo 23."""
    number = compact(secret)
    body = number[:1].translate(str.maketrans("XYZ", "012")) + number[1:-1]
    if len(number) != 9 or not body.isdigit() or len(set(body)) < 3:
        return "drop"
    return kept(DNI_LETTERS[int(body) % 23] == number[-1] and not in_numbers(text, start, end))


def brazilian_cpf(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """Two check digits, modulo 11."""
    digits = digits_of(secret, 11)
    if not digits:
        return "drop"
    for length in (9, 10):
        total = sum(digits[at] * (length + 1 - at) for at in range(length))
        if total * 10 % 11 % 10 != digits[length]:
            return "drop"
    return "keep"


def british_nino(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """HMRC's NIM39110: the beginnings that are issued. It has no check digit."""
    number = compact(secret)
    known = number in ("QQ123456C", "AB123456C")
    return kept(len(number) == 9 and number[:2] not in NINO_NEVER and not known)


def french_nir(secret: bytes, text: bytes, start: int, end: int) -> Checked:  # noqa: ARG001
    """INSEE's number: its key is 97 less the rest by 97; Corsica's 2A is 19, 2B is 18."""
    number = compact(secret)
    if len(number) != 15:
        return "drop"
    body = number[:13].replace("2A", "19").replace("2B", "18")
    if not (body.isdigit() and number[13:].isdigit() and int(number[3:5]) >= 1):
        return "drop"
    return kept(97 - int(body) % 97 == int(number[13:]))


def phone(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """E.164: a country's code and 8 to 15 digits in all, of three kinds and more."""
    number = compact(secret)
    if not (number.isdigit() and 8 <= len(number) <= 15 and len(set(number)) > 2):
        return "drop"
    return kept(number[0] != "0" and not in_numbers(text, start, end))


def email(secret: bytes, text: bytes, start: int, end: int) -> Checked:
    """A person's, as far as one can tell: no example's, no file, no user of a URL."""
    before = text[max(0, start - 80) : start].split()
    if before and b"://" in before[-1]:
        return "drop"
    user, _, domain = secret.lower().partition(b"@")
    labels = domain.split(b".")
    if user in NOBODY or labels[-1] in NO_DOMAINS or b"example" in labels:
        return "drop"
    return kept(not (user == b"git" or labels[0].isdigit() or text[end : end + 1] == b"("))


def in_numbers(text: bytes, start: int, end: int) -> bool:
    """Whether it stands amid other numbers, as in a table or an embedding."""
    before, after = text[max(0, start - 12) : start], text[end : end + 12]
    left = before.rstrip(b" ,;\t\n|[(")
    right = after.lstrip(b" ,;\t\n|])")
    decimals = before.endswith((b".", b"-", b"/")) or after[:1] in (b"+", b"-", b"/", b"_")
    fraction = after[:1] == b"." and after[1:2].isdigit()
    both = left[-1:].isdigit() and right[:1].isdigit()
    return decimals or fraction or both


VALIDATORS: Final[Mapping[str, Validator]] = {
    "card": card,
    "cpf": brazilian_cpf,
    "dni": spanish_dni,
    "email": email,
    "german_tax_id": german_tax_id,
    "iban": iban,
    "nino": british_nino,
    "nir": french_nir,
    "phone": phone,
    "ssn": ssn,
}
