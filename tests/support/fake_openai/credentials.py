"""Judges the credential as OpenAI does: one key, one that it knows, else 401, the key masked."""

from dataclasses import dataclass, field

from tests.support.fake_openai.answers import Answer, error
from tests.support.fake_openai.recorder import Received

TOKEN = "openai-insecure-api-key."  # noqa: S105 -- the name of a subprotocol, not a secret
ACCOUNT = "https://platform.openai.com/account/api-keys"


@dataclass(slots=True)
class Door:
    """The staging keys that open it, and the ephemeral ones it has handed out itself."""

    keys: set[str] = field(default_factory=set)
    minted: set[str] = field(default_factory=set)

    def judge(self, request: Received) -> Answer | None:
        """Nothing where the call may pass, else OpenAI's refusal."""
        offered = offers(request)
        if not offered:
            text = "You didn't provide an API key. You need to provide your API key in an "
            text += "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
            return error(401, "invalid_request_error", None, text)
        if len(offered) > 1:
            return error(401, "invalid_request_error", None, "More than one API key was provided.")
        if offered[0] in self.keys | self.minted:
            return None
        text = f"Incorrect API key provided: {masked(offered[0])}. "
        text += f"You can find your API key at {ACCOUNT}."
        return error(401, "invalid_request_error", "invalid_api_key", text)


def offers(request: Received) -> list[str]:
    """Every credential of the request: each Authorization, each key among the subprotocols."""
    found = [value.removeprefix("Bearer ") for value in request.values("authorization")]
    for value in request.values("sec-websocket-protocol"):
        tokens = (token.strip() for token in value.split(","))
        found += [token.removeprefix(TOKEN) for token in tokens if token.startswith(TOKEN)]
    return found


def masked(key: str) -> str:
    """The first 8 and the last 4 characters stay, as in OpenAI's own message."""
    return key if len(key) < 16 else f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"
