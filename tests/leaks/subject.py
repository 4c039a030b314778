"""The system under test: what the gateway's leak stage says of a case.

The request is put into a Call, read as bodies/stage.py reads it, and shown to the stage, as the
corridor does it. What is refused before the leak stage (an unreadable body) is a fault of the
corpus, and no find.
"""

from openai_gateway.core.call import Call, Request
from tests.leaks.case import Sent


def call_of(sent: Sent) -> Call:
    """The call as the host makes it."""
    request = Request(
        "POST" if sent.method == "WS" else sent.method,
        "api.openai.com",
        sent.target,
        sent.all_headers(),
    )
    request.body = b"" if sent.method == "WS" else sent.body
    request.trailers = sent.trailers
    return Call(request, websocket=sent.method == "WS")
