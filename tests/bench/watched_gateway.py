"""The real gateway with a stopwatch on its event loop, for `mitmdump -s`."""

from openai_gateway.host.addon import gateway
from tests.bench.stopwatch import install

addons: list[object] = []
if __name__.startswith("__mitmproxy_script__"):
    install()
    addons = [gateway()]
