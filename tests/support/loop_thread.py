"""Runs an async server in a thread with its own loop, so that sync tests can use it."""

import asyncio
import threading
from contextlib import AbstractAsyncContextManager
from typing import Any


class LoopThread:
    """Enters an async context manager in a background thread and leaves it on `stop`."""

    def __init__(self, manager: AbstractAsyncContextManager[Any], name: str) -> None:
        self._manager = manager
        self._ready = threading.Event()
        self._fault: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(20)
        if self._fault is not None:
            raise RuntimeError("the server did not start") from self._fault

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as fault:  # noqa: BLE001 -- handed to the thread that waits
            self._fault = fault
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._manager:
            self._ready.set()
            await self._over.wait()

    def stop(self) -> None:
        if self._loop is not None and self._over is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
