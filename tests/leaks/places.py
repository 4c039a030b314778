"""All places of a call in which a secret can stand: 119 functions from its value to a request."""

from typing import Final

from tests.leaks import places_api, places_chat, places_http
from tests.leaks.case import Place

PLACES: Final[dict[str, Place]] = {
    **places_chat.CHATS,
    **places_api.RESPONSES_API,
    **places_api.OTHERS,
    **places_http.HEAD,
    **places_http.BODY,
}
