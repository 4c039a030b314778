"""Signed tickets (JWT) and what carries them."""

import base64
import json
from collections.abc import Mapping
from random import Random
from typing import Final

from tests.leaks.draw import fill
from tests.leaks.kind import BARE, HERE, Kind, Planted

LATER: Final = 2_200_000_000  # 2039
PAST: Final = 1_600_000_000  # 2020
SIGNATURES: Final = {"HS256": 32, "HS512": 64, "RS256": 256, "ES256": 64}  # bytes


def coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def segment(value: Mapping[str, object]) -> str:
    return coded(json.dumps(value, separators=(",", ":")).encode())


def signed(chance: Random, claims: Mapping[str, object], alg: str, length: int = 0) -> str:
    """A ticket with these claims, the fields of their strings drawn; `length` of its signature."""
    drawn = {k: fill(v, chance) if isinstance(v, str) else v for k, v in claims.items()}
    signature = chance.randbytes(length or SIGNATURES[alg])
    return f"{segment({'alg': alg, 'typ': 'JWT'})}.{segment(drawn)}.{coded(signature)}"


def ticket(chance: Random, expires: int | None) -> Planted:
    alg = chance.choice(tuple(SIGNATURES))
    claims: dict[str, object] = {"sub": "{d:10}", "jti": "{uuid}", "iat": PAST - 3600}
    if expires is not None:
        claims |= {"exp": expires + chance.randrange(10_000_000)}
    made = signed(chance, claims, alg)
    return Planted(made, chance.choice(BARE).replace(HERE, made))


def live(chance: Random) -> Planted:
    return ticket(chance, LATER)


def endless(chance: Random) -> Planted:
    return ticket(chance, None)


def expired(chance: Random) -> Planted:
    return ticket(chance, PAST)


def supabase_role(chance: Random) -> Planted:
    """Supabase's older key that passes every row policy."""
    claims = {"iss": "supabase", "ref": "{v:20}", "role": "service_role", "iat": PAST, "exp": LATER}
    made = signed(chance, claims, "HS256")
    return Planted(made, f"SUPABASE_SERVICE_ROLE_KEY={made}\n")


ALL: Final[tuple[Kind, ...]] = (
    Kind("jwt", live),
    Kind("jwt-endless", endless),
    Kind("jwt-expired", expired, want="report"),
    Kind("supabase-role", supabase_role),
)
