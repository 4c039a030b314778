"""Personal data, which rules/pii.yaml looks for where it is switched on: valid by their checksums.

Card numbers are of ranges that issuers use, and no card's: only their sum is right.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from tests.leaks import filler
from tests.leaks.case import Case, chat
from tests.leaks.draw import fill, seeded
from tests.leaks.kind import Maker, Planted

EACH: Final = 12
# Beginning and length.
ISSUERS: Final = (("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16), ("2221", 16))
# Country and the form of what follows the two check digits (ISO 13616).
BANKS: Final = (
    ("DE", "{d:18}"),
    ("FR", "{d:10}{U:11}{d:2}"),
    ("GB", "{one:NWBK,BARC,MIDL}{d:14}"),
    ("NO", "{d:11}"),
    ("NL", "{one:ABNA,INGB,RABO}{d:10}"),
    ("ES", "{d:20}"),
    ("AT", "{d:16}"),
    ("CH", "{d:5}{U:12}"),
)


def luhn(body: str) -> str:
    """The last digit of a card."""
    total = 0
    for n, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if n % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card(chance: Random) -> str:
    begin, length = chance.choice(ISSUERS)
    body = begin + fill(f"{{d:{length - 1 - len(begin)}}}", chance)
    return body + luhn(body)


def grouped(digits: str, between: str) -> str:
    return between.join(digits[n : n + 4] for n in range(0, len(digits), 4))


def number(text: str) -> int:
    return int("".join(str(int(c, 36)) for c in text))


def iban(chance: Random) -> str:
    country, form = chance.choice(BANKS)
    account = fill(form, chance)
    check = 98 - number(f"{account}{country}00") % 97
    return f"{country}{check:02}{account}"


def planted(value: str, *texts: str) -> Callable[[Random], Planted]:
    return lambda chance: Planted(value, chance.choice(texts).replace("§", value))


def card_text(chance: Random) -> Planted:
    value = grouped(card(chance), chance.choice(("", " ", "-")))
    return planted(value, "charge § please", "card: §, 09/29", '{"pan": "§"}')(chance)


def iban_text(chance: Random) -> Planted:
    value = grouped(iban(chance), chance.choice(("", " ")))
    return planted(value, "IBAN §", "send it to § by Friday", '{"iban":"§"}')(chance)


def email_text(chance: Random) -> Planted:
    value = fill("{v:5}.{v:7}@{v:6}.{one:de,com,no,co.uk}", chance)
    return planted(value, "write to §.", "<§>", "user=§;", '"email": "§"')(chance)


def social_text(chance: Random) -> Planted:
    """A social security number of the USA: not 000, 666 or from 900, and no part of zeros."""
    value = f"{chance.randint(1, 665):03}-{chance.randint(1, 99):02}-{chance.randint(1, 9999):04}"
    return planted(value, "SSN: §", "his SSN is §", "social security number §")(chance)


def phone_text(chance: Random) -> Planted:
    value = fill(
        chance.choice(("+49 30 {n:8}", "+47 9{d:2} {d:2} {d:3}", "+1 212 {n:3} {d:4}")), chance
    )
    return planted(value, "call §", "phone: §", '"mobile": "§"')(chance)


KINDS: Final[dict[str, Maker]] = {
    "card": card_text,
    "IBAN": iban_text,
    "e-mail": email_text,
    "social security number": social_text,
    "telephone": phone_text,
}


def personal(seed: int) -> Iterator[Case]:
    for name, make in KINDS.items():
        for n in range(EACH):
            chance = seeded(seed, "personal", name, n)
            made = make(chance)
            sent = chat(filler.around(chance, made.text))
            yield Case(f"personal/{name}/{n}", "kinds", name, sent, name, made.secret, "report")
