"""Runs every probe beside the others; none can hold, or end, the rest.

A probe that raises or hangs is `unknown`. Threads, as they wait for other machines; daemons, as one
that hangs must not keep the process.
"""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from openai_gateway.core.scrub import Scrubber
from openai_gateway.doctor import clock
from openai_gateway.doctor.finding import Finding, Probe, Told, unknown
from openai_gateway.doctor.probes import ORDER, PROBES
from openai_gateway.doctor.site import Site

LONGEST_S: Final = 12.0
_ELSEWHERE: Final = "the gateway runs on another machine; run `openai-gateway doctor` there"


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of the probe of this number."""

    number: int
    told: Told


def examine(
    site: Site, probes: Sequence[Probe] = PROBES, longest_s: float = LONGEST_S
) -> list[Finding]:
    """Every finding, in the order of docs/doctor.md, without a secret."""
    found: list[Finding] = []
    clocks: dict[str, float] = {}
    for told in _all(site, probes, longest_s):
        found += told.findings
        clocks.update(told.clocks)
    if probes is PROBES:
        found += clock.judged(clocks).findings
    scrub = Scrubber(site.secrets())
    clean = [replace(one, evidence=scrub(one.evidence), fix=scrub(one.fix)) for one in found]
    return sorted(clean, key=lambda one: _place(one.id))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _all(site: Site, probes: Sequence[Probe], longest_s: float) -> list[Told]:
    done: queue.Queue[_Done] = queue.Queue(len(probes))
    for number, probe in enumerate(probes):
        threading.Thread(
            target=_one, args=(site, number, probe, done), name=f"probe-{probe.ids[0]}", daemon=True
        ).start()
    told = _collected(done, len(probes), time.monotonic() + longest_s)
    late = f"took longer than {longest_s:g} s"
    return [
        told.get(number) or unknown(probe.ids, late, "look again; what it asks answers too slowly")
        for number, probe in enumerate(probes)
    ]


def _collected(done: "queue.Queue[_Done]", count: int, deadline: float) -> Mapping[int, Told]:
    told: dict[int, Told] = {}
    while len(told) < count:
        try:
            one = done.get(timeout=max(0.001, deadline - time.monotonic()))
        except queue.Empty:
            break
        told[one.number] = one.told
    return told


def _one(site: Site, number: int, probe: Probe, done: "queue.Queue[_Done]") -> None:
    try:
        told = _looked(site, probe)
    except Exception as error:  # noqa: BLE001  # one probe must not end the others
        name = type(error).__name__
        told = unknown(probe.ids, f"the probe itself failed ({name})", "report it with this name")
    done.put(_Done(number, told))


def _looked(site: Site, probe: Probe) -> Told:
    if probe.outward and site.wish.offline:
        return unknown(probe.ids, "not looked at (--offline)", "run doctor without --offline")
    if site.remote and site.path is None and not probe.elsewhere:
        return unknown(probe.ids, "what the gateway has is not on this machine", _ELSEWHERE)
    return probe.look(site)
