"""`openai-gateway serve`: the same host process as `mitmdump -s addons/gateway.py`."""

from pathlib import Path

from mitmproxy.tools.main import mitmdump

from openai_gateway.host import worker
from openai_gateway.host.listening import listen_on
from openai_gateway.host.worker import Worker

_HERE = Path(__file__).resolve().parent


def script() -> Path:
    """The script that names the gateway to mitmproxy: a checkout's, else the one in the wheel.

    It stands in a folder of its own, since mitmproxy puts that folder first on the import path.
    """
    checkout = _HERE.parents[1] / "gateway.py"
    return checkout if checkout.is_file() else _HERE.parent / "_script" / "gateway.py"


def run(config: str | None, listen: tuple[str, int], one: Worker | None = None) -> int:
    """Runs until a signal; the exit code is mitmproxy's (1 where the start was refused).

    As one of several workers it listens where its parent does.
    """
    if one is not None:
        worker.become(one)
        worker.name_in_log(one.number)
        listen_on(worker.handed(one.listen))
    arguments = ["-s", str(script()), "--listen-host", listen[0], "--listen-port", str(listen[1])]
    if config is not None:
        arguments += ["--set", f"gateway_config={config}"]
    try:
        mitmdump(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0
