"""Exactly one credential, and one that may pass; from here on the call carries no key at all.

The key that leaves is chosen here and attached last (keys/attach.py), so that a fault in between
sends a call without any key.
"""

from typing import Final

from openai_gateway.api.errors import refusal
from openai_gateway.api.headers import AUTHORIZATION, NEVER_SENT, ORGANIZATION, PROJECT, SUBPROTOCOL
from openai_gateway.api.keys import (
    KEY_TOKEN,
    ORGANIZATION_TOKEN,
    PROJECT_TOKEN,
    KeyKind,
    Offer,
    Place,
    Unreadable,
    is_key_token,
    kind_of,
    offers,
    tokens,
)
from openai_gateway.core.call import Call, Header, Request
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import Pass, Refuse, Verdict
from openai_gateway.keys.mapping import Found, KeyMapping, KeyRing, Match
from openai_gateway.keys.minted import Minted

# Enough of a fingerprint to find a key among one's own, too little to be taken for one.
_SHOWN: Final = len("sha256:") + 12
_TAKEN_OFF: Final = frozenset({AUTHORIZATION, ORGANIZATION, PROJECT, *NEVER_SENT})
_SEND_ONE: Final = (
    "Send it as `Authorization: Bearer KEY` or, on a WebSocket, as the subprotocol "
    "openai-insecure-api-key.KEY."
)


class Identify:
    """The stage that knows the caller by its key, and takes that key off the call."""

    name: Final = "keys.identify"
    limit_s: Final = 1.0

    def __init__(self, ring: KeyRing, minted: Minted) -> None:
        self._ring = ring
        self._minted = minted

    def check(self, call: Call) -> Verdict:
        """Sets `credential`, `key` and `departing`, or refuses."""
        offered = offers(call.request.headers)
        if offers(call.request.trailers):
            return _ambiguous("An API key stands in the trailers, after the body.")
        if not offered:
            return _missing("The request carries no API key.")
        if len(offered) > 1:
            return _ambiguous(f"The request carries {len(offered)} API keys: {_where(offered)}.")
        return self._judge(call, offered[0])

    def _judge(self, call: Call, offer: Offer) -> Verdict:
        key, place = offer.key, offer.place
        if key is Unreadable.EMPTY:
            return _missing(f"The API key in {place} is empty.")
        if key is Unreadable.SEVERAL:
            return _ambiguous(f"There is more than one API key in {place}.")
        if not isinstance(key, Secret):
            return _unknown(f"What stands in {place} is no API key. {_SEND_ONE}")
        if place is Place.SUBPROTOCOL and not call.websocket:
            return _unknown(
                "An API key in the WebSocket subprotocol counts only where the request opens a "
                "WebSocket. Send it as `Authorization: Bearer KEY`."
            )
        return self._recognise(call, key, place)

    def _recognise(self, call: Call, key: Secret, place: Place) -> Verdict:
        owner = self._minted.owner(key)
        mapping = self._ring.named(owner) if owner is not None else None
        if mapping is not None:
            return _admit(call, key, mapping, departing=key, note="minted")
        match = self._ring.identify(key)
        if match.mapping is None:
            return _refuse_unknown(match, key, place)
        if match.found is Found.STAGING and not self._ring.accept_staging:
            return _unknown(
                f"The key {key.masked()} in {place} is the staging key of mapping "
                f"{match.mapping.name}, and keys.staging is `reject`. Send the production key that "
                f"it stands for, or set `keys: {{staging: accept}}` in gateway.yaml.",
                reason="staging_refused",
            )
        own = key if call.environment == "production" else None
        departing = match.mapping.staging or own
        return _admit(call, key, match.mapping, departing, note=match.found.value)


def _admit(
    call: Call, key: Secret, mapping: KeyMapping, departing: Secret | None, note: str
) -> Pass:
    call.credential, call.departing, call.key = key, departing, mapping.name
    take_off(call.request, mapping)
    return Pass(note)


def take_off(request: Request, mapping: KeyMapping) -> None:
    """Takes the credential and whatever names an account off; the mapping's account goes on.

    A subprotocol key leaves its token behind, empty, in its place among the others.
    """
    kept: list[Header] = []
    for header in request.headers:
        name = header[0].lower()
        if name == SUBPROTOCOL:
            kept += _subprotocols(header, mapping)
        elif name not in _TAKEN_OFF:
            kept.append(header)
    for name, value in ((ORGANIZATION, mapping.organization), (PROJECT, mapping.project)):
        if value is not None:
            kept.append((name, value.encode()))
    request.headers = kept


def _subprotocols(header: Header, mapping: KeyMapping) -> list[Header]:
    """The header with its identity tokens replaced in place or dropped; others as they came."""
    offered = tokens(header[1])
    kept = [new for token in offered if (new := _subprotocol(token, mapping)) is not None]
    if kept == offered:
        return [header]
    return [(header[0], b", ".join(kept))] if kept else []


def _subprotocol(token: bytes, mapping: KeyMapping) -> bytes | None:
    if is_key_token(token):
        return KEY_TOKEN
    lowered = token.lower()
    if lowered.startswith(ORGANIZATION_TOKEN):
        return _named(ORGANIZATION_TOKEN, mapping.organization)
    if lowered.startswith(PROJECT_TOKEN):
        return _named(PROJECT_TOKEN, mapping.project)
    return token


def _named(prefix: bytes, value: str | None) -> bytes | None:
    return None if value is None else prefix + value.encode()


def _where(offered: list[Offer]) -> str:
    counted = {place: sum(offer.place is place for offer in offered) for place in Place}
    return " and ".join(f"{count} in {place}" for place, count in counted.items() if count)


def _missing(what: str) -> Refuse:
    message = f"{what} {_SEND_ONE} The SDKs do so with OPENAI_API_KEY; the gateway swaps it."
    return Refuse(refusal("gateway_missing_key", message, reason="missing"))


def _ambiguous(what: str) -> Refuse:
    message = f"{what} Send one, in one place."
    return Refuse(refusal("gateway_ambiguous_key", message, reason="ambiguous"))


def _unknown(message: str, reason: str = "unknown") -> Refuse:
    return Refuse(refusal("gateway_unknown_key", message, reason=reason))


_NEVER_PASSES: Final = {
    KeyKind.ADMIN: "It is an admin key; those never go through. Use a project key.",
    KeyKind.SESSION: "It is a dashboard session key; those never go through. Use a project key.",
    KeyKind.WEBHOOK: "It is a webhook's signing secret and opens nothing. Use a project key.",
    KeyKind.EPHEMERAL: (
        "It is an ephemeral key that has expired or was not minted through this gateway. Ask for "
        "one through the gateway: POST /v1/realtime/client_secrets."
    ),
}


def _refuse_unknown(match: Match, key: Secret, place: Place) -> Refuse:
    shown = f"Incorrect API key provided: {key.masked()}, in {place}."
    if match.found is Found.REFUSED_KIND:
        return _unknown(f"{shown} {_NEVER_PASSES[kind_of(key)]}", reason="refused_kind")
    return _unknown(
        f"{shown} It is in no mapping of this gateway. Send a key that it knows, or add this one "
        f"(fingerprint {key.fingerprint()[:_SHOWN]}…; `openai-gateway fingerprint` prints all of "
        f"it) to keys.mappings[].production in gateway.yaml."
    )
