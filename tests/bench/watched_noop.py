"""An addon that does nothing, with a stopwatch on the event loop, for `mitmdump -s`."""

from tests.bench.stopwatch import install

if __name__.startswith("__mitmproxy_script__"):
    install()

addons: list[object] = []
