"""How a simulation is told in a terminal: a table of limits, the calls, and a sentence."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from openai_gateway.cli.limits_given import TIERS
from openai_gateway.cli.limits_told import Told, moment, per
from openai_gateway.cli.reading import WIDTH, cut, say

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.limits.gauge import Tally
    from openai_gateway.limits.limit import Limit
    from openai_gateway.limits.simulated import Met, Simulated

_NAME_LEAST: Final = 8
_THOUSAND: Final = 1000
_UNKNOWN: Final = "(no model)"
_KIND: Final = 4  # CONC is concurrency
_DAY: Final = timedelta(days=1)
_KINDS: Final = {"concurrency": "at once"}
_HEAD: Final = ("", "limit", "calls", "refused", "delayed", "share", "wait", "peak", "first 429")

type Cells = tuple[str, ...]


def tell(told: Told) -> None:
    """For a terminal of 80 columns."""
    found = told.found
    if not found.calls:
        say("no calls")
        return
    _table(told)
    _calls(told)
    _footnotes(told)
    for line in textwrap.wrap(verdict(told), WIDTH, break_on_hyphens=False):
        say(line, bold=True)


def verdict(told: Told) -> str:
    """One sentence that says whether the traffic fits."""
    found, words = told.found, told.given.words
    began = f"{'At' if words.startswith('tier') else 'By'} {words}"
    of = f"of {found.calls:,} call{'s' * (found.calls != 1)}"
    would = " would have met a 429"
    if found.first is None:
        sentence = f"{began}, none {of}{would}"
    else:
        first, limit = found.first, found.first.limit
        at = moment(first.call.at_us).strftime("%Y-%m-%d %H:%M:%S UTC")
        share = _percent(found.refused, found.calls)
        sentence = f"{began}, {found.refused:,} {of} ({share}){would}"
        sentence += f"; the first at {at} for {_who(limit)} {limit.kind.upper()}"
    if told.waits:
        longest = _wait(found.longest_delay_s)
        sentence += f"; {found.delayed:,} would have waited" + (
            f", {longest} at the longest" if found.delayed else ""
        )
    elif found.first is None and found.tallies:
        near = max(found.tallies, key=lambda tally: tally.used_share)
        used = f"{near.used_share:.0%}"
        sentence += f"; the nearest was {_who(near.limit)} {near.limit.kind.upper()}, {used} used"
    return f"{sentence}."


def _table(told: Told) -> None:
    found = told.found
    shown = found.tallies[: told.top]
    if not shown:
        say("no limit holds for any of these calls")
        return
    rows = [_cells(tally, found) for tally in shown]
    rows = [row if told.waits else (*row[:4], *row[5:]) for row in [_HEAD, *rows, _total(found)]]
    _aligned(rows)
    if len(found.tallies) > told.top:
        say(f"  and {len(found.tallies) - told.top:,} limits more; --top N shows them")


def _cells(tally: "Tally", found: "Simulated") -> Cells:
    limit = tally.limit
    return (
        _who(limit),
        f"{_short(limit.amount)} {_KINDS.get(limit.kind, limit.kind.upper())}",
        f"{tally.calls:,}",
        f"{tally.refused:,}",
        f"{tally.delayed:,}",
        _percent(tally.refused + tally.delayed, tally.calls),
        _wait(tally.longest_s) if tally.refused + tally.delayed else "-",
        f"{math.ceil(tally.used_share * 100)}%",
        _first(tally.first_us, found),
    )


def _total(found: "Simulated") -> Cells:
    return (
        "total",
        "",
        f"{found.calls:,}",
        f"{found.refused:,}",
        f"{found.delayed:,}",
        _percent(found.refused + found.delayed, found.calls),
        "",
        "",
        _first(found.first.call.at_us if found.first else None, found),
    )


def _aligned(rows: Sequence[Cells]) -> None:
    """The name gives way; where that is not enough the gaps do, and then the last columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths[1:]) + len(widths) - 1 + _NAME_LEAST > WIDTH:
        rows = [row[:-1] for row in rows]
        widths.pop()
    others = sum(widths[1:])
    gap = 2 if others + 2 * (len(widths) - 1) + min(widths[0], 2 * _NAME_LEAST) <= WIDTH else 1
    widths[0] = min(widths[0], max(_NAME_LEAST, WIDTH - others - gap * (len(widths) - 1)))
    for number, row in enumerate(rows):
        name = cut(row[0], widths[0]).ljust(widths[0])
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        style = {"bold": True} if number in (0, len(rows) - 1) else {}
        say((" " * gap).join((name, *cells)).rstrip(), **style)


def _calls(told: Told) -> None:
    found = told.found
    if not told.terms.listed or not found.met:
        return
    say("")
    say(_line("call", "UTC", "model", "limit", ""), bold=True)
    for met in found.met:
        at = moment(met.call.at_us).strftime("%m-%d %H:%M:%S")
        did = "too large" if math.isinf(met.wait_s) else f"{_did(met)} {_wait(met.wait_s)}"
        kind = met.limit.kind[:_KIND].upper()
        say(_line(met.call.id, at, met.call.facts.model or _UNKNOWN, kind, did))
    more = found.refused + found.delayed - len(found.met)
    if more:
        say(f"  and {more:,} calls more; --top N shows them")
    say("")


def _line(id_: str, at: str, model: str, kind: str, did: str) -> str:
    return f"{cut(id_, 31):<31} {at:<14} {cut(model, 12):<12} {kind:<5} {did}".rstrip()


def _did(met: "Met") -> str:
    return "waits" if met.delayed else "try in"


def _footnotes(told: Told) -> None:
    found, skipped = told.found, told.skipped
    if found.unlimited:
        say(f"no limit known: {_named(found.unlimited, told.top)}")
    unlisted = told.unlisted()
    if unlisted:
        say(f"not in {TIERS}, held to its default: {_named(unlisted, told.top)}")
    left = [f"{skipped.handshakes:,} WebSocket handshakes"] * bool(skipped.handshakes)
    left += [f"{skipped.stopped:,} calls refused for what they were"] * bool(skipped.stopped)
    if left:
        say(f"left out: {', '.join(left)}")
    if found.set_back:
        say(f"{found.set_back:,} calls stood before an earlier one, and were taken to come with it")
    if told.terms.scale != 1.0:
        say(f"gaps between calls divided by {told.terms.scale:g}")


def _named(counts: Mapping[str, int], top: int) -> str:
    told = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    words = [f"{name or _UNKNOWN} ({calls:,})" for name, calls in told[:top]]
    return ", ".join([*words, f"{len(told) - top} more"] if len(told) > top else words)


def _who(limit: "Limit") -> str:
    """The bucket in a word or two: its model, else what it is for, else the rule."""
    from openai_gateway.limits.gauges import OTHERS

    if limit.bucket.endswith(OTHERS):
        return f"{limit.rule} {OTHERS}"
    return " ".join(per(limit).values()) or limit.rule


def _short(amount: int) -> str:
    """30K, 2M, 1,500."""
    for size, letter in ((_THOUSAND**2, "M"), (_THOUSAND, "K")):
        if amount >= 10 * _THOUSAND and not amount % size:
            return f"{amount // size:,}{letter}"
    return f"{amount:,}"


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0.0
    if not part:
        return "0%"
    if share < 0.01:
        return "<0.01%"
    return f"{share:.2f}%" if share < 10 else f"{share:.1f}%"


def _wait(seconds: float) -> str:
    """Rounded up, to what one cares for."""
    from openai_gateway.limits.headers import duration, milliseconds

    ms = milliseconds(seconds)
    grain = 1 if ms < _THOUSAND else 100 if ms < 60 * _THOUSAND else _THOUSAND
    return duration(-(-ms // grain) * grain)


def _first(at_us: int | None, found: "Simulated") -> str:
    if at_us is None:
        return "-"
    began, ended = moment(found.began_us or 0), moment(found.ended_us or 0)
    form = "%H:%M:%S" if ended - began < _DAY else "%m-%d %H:%M"
    return moment(at_us).strftime(form)
