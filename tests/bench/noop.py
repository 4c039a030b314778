"""What the gateway is measured against, for `mitmdump -s`: nothing, but that event streams pass as
they come. mitmproxy by itself would hold a stream until its end, and no delay could be compared.
"""

from mitmproxy import http


class Nothing:
    """Looks at no request, and at one header of an answer."""

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        answer = flow.response
        if answer is not None and answer.headers.get("content-type", "").startswith("text/event-"):
            answer.stream = True


addons = [Nothing()]
