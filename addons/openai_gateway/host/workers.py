"""`openai-gateway serve --workers N`: the parent of N processes on one port.

It knows no mitmproxy and sees no call. What is to be done is decided in crew.py; here it is done:
processes start and end, and what one worker learned and the others need is passed on.
"""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, assert_never

from openai_gateway.config.load import find, load
from openai_gateway.config.places import Listen
from openai_gateway.config.problems import ConfigError
from openai_gateway.config.several import shared
from openai_gateway.core.scrub import ScrubFilter
from openai_gateway.host import ports
from openai_gateway.host.acts import Act, End, Finish, Kill, Retire, Start, Tell
from openai_gateway.host.crew import Crew
from openai_gateway.host.line import Line, Message
from openai_gateway.host.worker import Worker

TICK_S: Final = 0.1
MOST_NEWS: Final = 10_000
NOT_STARTED: Final = 127
AS_WORKER: Final = "--as-worker"

log: Final = logging.getLogger("openai_gateway.workers")


def run(config: str | None, listen: tuple[str, int], count: int) -> int:
    """Runs until a signal; 1 where the start was refused, by itself or by a worker."""
    _speak()
    try:
        metrics = _metrics(config, count)
        opened = ports.open_proxy(*listen)
        admins = ports.open_admin(metrics, count)
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        log.error("not started: %d problem(s), see above", len(error.problems))
        return 1
    except OSError as error:
        log.error("%s", error.strerror or error)
        return 1
    return asyncio.run(Parent(opened, admins, count).run())


def _metrics(config: str | None, count: int) -> Listen:
    """All that the parent wants of the configuration, once it is judged: its keys it forgets."""
    loaded = load(find(config, os.environ, Path.cwd()), os.environ)
    return shared(loaded, count).config.metrics.listen


def _speak() -> None:
    """Information to stdout, the rest to stderr, as a worker does."""
    told, warned = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    told.addFilter(lambda record: record.levelno < logging.WARNING)
    warned.setLevel(logging.WARNING)
    for handler in (told, warned):
        handler.setFormatter(logging.Formatter("openai-gateway: %(message)s"))
        handler.addFilter(ScrubFilter())
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


class Parent:
    """Holds the ports, the processes and their lines; ends when none is left."""

    def __init__(
        self, opened: Sequence[socket.socket], admins: Sequence[socket.socket], count: int
    ) -> None:
        self._opened = opened
        self._admins = admins
        self._count = count
        self._crew = Crew(count)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._lines: dict[int, Line] = {}
        self._news: deque[Message] = deque(maxlen=MOST_NEWS)
        self._code: int | None = None

    async def run(self) -> int:
        """The exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: self._do(self._crew.terminate(_now())))
        loop.add_signal_handler(signal.SIGHUP, lambda: self._do(self._crew.hangup(_now())))
        self._do(self._crew.begin(_now()))
        while self._code is None:
            await asyncio.sleep(TICK_S)
            self._look()
            self._do(self._crew.tick(_now()))
        return self._code

    def _look(self) -> None:
        """Which processes have ended since the last look."""
        for member, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[member]
            line = self._lines.pop(member, None)
            if line is not None:
                line.close()
            self._gone(member, code)

    def _gone(self, member: int, code: int) -> None:
        self._do(self._crew.gone(member, code, _now()))

    def _do(self, acts: Sequence[Act]) -> None:
        for act in acts:
            self._act(act)

    def _act(self, act: Act) -> None:
        match act:
            case Start():
                self._start(act)
            case Retire():
                self._say(act.member, "retire")
            case End():
                self._signal(act.member, signal.SIGTERM)
            case Kill():
                self._signal(act.member, signal.SIGKILL)
            case Tell():
                log.log(act.level, "%s", act.text)
            case Finish():
                self._code = act.code
            case _:
                assert_never(act)

    def _start(self, act: Start) -> None:
        ours, theirs = socket.socketpair()
        fds = tuple(each.fileno() for each in self._opened)
        admin = self._admins[act.number - 1].fileno()
        worker = Worker(act.number, self._count, fds, admin, theirs.fileno())
        member = act.member
        try:
            self._processes[member] = subprocess.Popen(  # noqa: S603  # this very command
                command(worker), stdin=subprocess.DEVNULL, pass_fds=worker.fds
            )
        except OSError as error:
            ours.close()
            log.error("worker %d cannot be started: %s", act.number, error.strerror)
            asyncio.get_running_loop().call_soon(self._gone, member, NOT_STARTED)
            return
        finally:
            theirs.close()
        self._lines[member] = Line(
            ours,
            lambda message: self._heard(member, message),
            lambda: self._forget(member),
        )

    def _heard(self, member: int, message: Message) -> None:
        match message:
            case ["up", patience_s]:
                for news in self._news:
                    self._say(member, *news)
                self._do(self._crew.up(member, float(patience_s), _now()))
            case ["ready"]:
                self._do(self._crew.ready(member, _now()))
            case ["news", *_]:
                self._news.append(message)
                for other in list(self._lines):
                    if other != member:
                        self._say(other, *message)

    def _forget(self, member: int) -> None:
        self._lines.pop(member, None)

    def _say(self, member: int, *message: object) -> None:
        line = self._lines.get(member)
        if line is not None:
            line.say(*message)

    def _signal(self, member: int, number: int) -> None:
        process = self._processes.get(member)
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(number)


def command(worker: Worker) -> list[str]:
    """This process' own command line, so that a worker is found and set up as its parent was."""
    return [sys.executable, *sys.orig_argv[1:], AS_WORKER, str(worker)]


def _now() -> float:
    return time.monotonic()
