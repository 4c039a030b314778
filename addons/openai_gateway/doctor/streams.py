"""Whether the events of a stream come as they are made: one that is held back comes all at once."""

import time
from http.client import HTTPResponse
from typing import Final

from openai_gateway.core.secret import Secret
from openai_gateway.doctor.finding import Part
from openai_gateway.doctor.proof import chat, route
from openai_gateway.doctor.site import Site
from openai_gateway.doctor.wire import Unreachable, opened

WAIT_S: Final = 8.0
TOKENS: Final = 1000
SPREAD_S: Final = 0.05
FEWEST: Final = 5
_MOST_READS: Final = 5_000
_HELD: Final = "is there another proxy between, that buffers? try --model with a slower model"


def look(site: Site, key: Secret) -> Part:
    """One call that costs. All events within SPREAD_S were held, or there were too few to tell."""
    try:
        with opened(route(site), WAIT_S) as connection:
            asked = chat(key, site.wish.model, TOKENS)
            connection.request(asked.method, asked.path, asked.body, dict(asked.headers))
            answer = connection.getresponse()
            if answer.status != 200:
                text = f"the streamed call got {answer.status}"
                return Part("unknown", text, "name a model that may be called with --model")
            return judged(_arrivals(answer))
    except Unreachable as error:
        return Part("fail", f"the stream broke off: {error}", "see `upstream`")


def _arrivals(answer: HTTPResponse) -> list[float]:
    """When each event came; those of one read came together, however slow this machine is."""
    came: list[float] = []
    for _ in range(_MOST_READS):
        data = answer.read1(65_536)
        if not data:
            break
        came += [time.monotonic()] * data.count(b"data:")
    return came


def judged(came: list[float]) -> Part:
    """By when the events came, in seconds."""
    if len(came) < FEWEST:
        return Part("unknown", f"only {len(came)} events came: too few to tell", _HELD)
    spread = came[-1] - came[0]
    if spread < SPREAD_S:
        text = f"{len(came)} events came within {spread * 1000:.0f} ms, as if held back"
        return Part("fail", text, _HELD)
    return Part("pass", f"{len(came)} events came over {spread:.1f} s, not held back")
