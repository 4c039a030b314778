"""The last stage: puts the departing key on the call, and trusts nobody who chose it.

It judges that key once more by itself: a production key leaves only in production, and only where
its mapping names no staging key.
"""

from typing import Final

from openai_gateway.api.headers import AUTHORIZATION, SUBPROTOCOL
from openai_gateway.api.keys import (
    KEY_TOKEN,
    KeyKind,
    Unreadable,
    is_key_token,
    kind_of,
    offers,
    tokens,
)
from openai_gateway.core.call import Call, Header, Request
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import Pass, Verdict
from openai_gateway.keys.mapping import Found, KeyRing, Match


class Unattachable(Exception):
    """The key must not leave, or there is none; the message never holds a key."""


class Attach:
    """The stage that gives the call its key. Whatever it raises refuses the call."""

    name: Final = "keys.attach"
    limit_s: Final = 1.0

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._values = tuple(
            identity.secret.reveal().encode()
            for identity in ring.productions()
            if identity.secret is not None
        )

    def check(self, call: Call) -> Verdict:
        """Attaches `call.departing`. Raises: Unattachable."""
        if call.credential is None or call.departing is None:
            raise Unattachable("no key was chosen for this call")
        note = self._judge(call, call.credential, call.departing)
        self._clean(call.request)
        attach(call.request, call.departing)
        return Pass(note)

    def _judge(self, call: Call, came: Secret, departing: Secret) -> str:
        """How the key changed: swapped, accepted, minted or own. Raises for any other way."""
        match = self._ring.identify(departing)
        if match.found is Found.STAGING:
            return "accepted" if departing == came else "swapped"
        if departing != came:
            raise Unattachable("a key that is no staging key was about to leave")
        if kind_of(departing) is KeyKind.EPHEMERAL:
            return "minted"
        if call.environment == "production" and self._sent_on(match, call.key):
            return "own"
        raise Unattachable("the client's own key was about to leave")

    def _sent_on(self, match: Match, name: str) -> bool:
        """Whether the call's mapping names no staging key, and this key is not another's."""
        mapping = self._ring.named(name)
        return mapping is not None and mapping.staging is None and match.mapping is mapping

    def _clean(self, request: Request) -> None:
        """No credential is left on the call, and no production key in any header."""
        headers = (*request.headers, *request.trailers)
        if any(offer.key is not Unreadable.EMPTY for offer in offers(headers)):
            raise Unattachable("a credential is still on the call")
        text = b"\n".join(part for header in headers for part in header)
        if any(known in text for known in self._values):
            raise Unattachable("a production key stands in a header")


def attach(request: Request, key: Secret) -> None:
    """Puts the key where the client's stood: into its subprotocol, else into Authorization.

    Raises: Unattachable where there is more than one place for it.
    """
    value = key.reveal().encode()
    places = [h for h in request.headers if _holds_place(h)]
    if not places:
        request.put(AUTHORIZATION, b"Bearer " + value)
        return
    if len(places) > 1 or len(offers(places)) > 1:
        raise Unattachable("there is more than one place for the key")
    request.headers = [_filled(h, value) if h is places[0] else h for h in request.headers]


def _holds_place(header: Header) -> bool:
    name, value = header
    return name.lower() == SUBPROTOCOL and any(is_key_token(token) for token in tokens(value))


def _filled(header: Header, key: bytes) -> Header:
    name, value = header
    new = (KEY_TOKEN + key if is_key_token(token) else token for token in tokens(value))
    return name, b", ".join(new)
