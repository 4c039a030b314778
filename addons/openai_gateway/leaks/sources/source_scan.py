"""Looks through many files on all cores, in bounded memory, and tells of each in its order."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import Final

from openai_gateway.leaks.sources.source_files import Looked, Source
from openai_gateway.leaks.sources.source_judge import ScanFailed, Scanner, Terms

# What a worker takes at a time.
FILES: Final = 64
BYTES: Final = 2 * 1024 * 1024
MOST_WORKERS: Final = 32
# Batches that are under way or not yet told, for each worker.
AHEAD: Final = 4
# Copies the compiled rules instead of compiling them again, and is sound here: there is no other
# thread yet.
FORKS: Final = sys.platform == "linux"

type Batch = tuple[Source, ...]

_scanner: Scanner | None = None


def scan(sources: Iterable[Source], terms: Terms, cores: int) -> Iterator[Looked]:
    """One answer for each source, in their order. Little is looked at in this process alone.

    Raises: RulesFault, ScanFailed.
    """
    batches = batched(sources)
    first = list(islice(batches, 2))
    if not first:
        return
    # The other engine finds the same, slower, but is ready a second earlier.
    scanner = Scanner(terms, "auto" if len(first) > 1 else "keywords")
    if len(first) == 1 or cores < 2:
        for batch in chain(first, batches):
            yield from scanner(batch)
    else:
        yield from _on_many(chain(first, batches), scanner, min(cores, MOST_WORKERS))


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if FORKS else os.cpu_count() or 1


def batched(sources: Iterable[Source]) -> Iterator[Batch]:
    """So many files, or so much of them, at a time; a larger file alone."""
    batch: list[Source] = []
    size = 0
    for source in sources:
        if batch and (len(batch) == FILES or size + source.size > BYTES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(source)
        size += source.size
    if batch:
        yield tuple(batch)


def _on_many(batches: Iterable[Batch], scanner: Scanner, workers: int) -> Iterator[Looked]:
    """Ends the workers at once where it is not read to its end, as on Ctrl-C."""
    context = multiprocessing.get_context("fork" if FORKS else "spawn")
    own = scanner if FORKS else scanner.terms
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(own,))
    finished = False
    try:
        yield from _in_order(pool, batches, workers * AHEAD)
        finished = True
    except BrokenProcessPool as error:
        message = "a worker ended before its time (out of memory?): not all files were looked at"
        raise ScanFailed(message) from error
    finally:
        for worker in () if finished else multiprocessing.active_children():
            worker.terminate()
        pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, batches: Iterable[Batch], ahead: int) -> Iterator[Looked]:
    waiting: deque[Future[list[Looked]]] = deque()
    for batch in batches:
        waiting.append(pool.submit(_work, batch))
        if len(waiting) >= ahead:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def _begin(own: Scanner | Terms) -> None:
    """In each worker. Ctrl-C reaches them too, and is the first process's to answer."""
    global _scanner  # a worker has no other place for what its tasks share
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _scanner = own if isinstance(own, Scanner) else Scanner(own)


def _end_with_parent() -> None:
    """Else a worker whose parent was killed would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(batch: Batch) -> list[Looked]:
    if _scanner is None:
        raise ScanFailed("a worker had no rules")
    return _scanner(batch)
