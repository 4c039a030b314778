"""Whether the gateway that runs swaps, stops leaks and does not hold streams, by asking it.

What could leave or cost is sent only with --calls, and only once the gateway has proven itself.
"""

from collections.abc import Iterable
from typing import Final

from openai_gateway.config.model import Config, KeyMapping
from openai_gateway.core.secret import Secret
from openai_gateway.doctor import streams
from openai_gateway.doctor.finding import Finding, Part, Told, told, unknown
from openai_gateway.doctor.planted import Planted, planted
from openai_gateway.doctor.proof import (
    MODELS,
    REQUEST_ID,
    Proof,
    authorization,
    proof,
    route,
)
from openai_gateway.doctor.row import swapped
from openai_gateway.doctor.site import Site
from openai_gateway.doctor.wire import Asked, Reply, Unreachable, ask
from openai_gateway.keys.mapping import ACCEPT

IDS: Final = ("swap", "leaks", "streams")
CALLS: Final = "openai-gateway doctor --calls makes calls with the real keys; one costs a little"
_LEAKS_FIX: Final = "leaks.mode: enforce, and see which process holds the port (`ports`)"


def look(site: Site) -> Told:
    """Nothing is asked of what has not proven itself to be a gateway."""
    found = proof(site)
    if found.state == "absent":
        return unknown(IDS, found.evidence, found.fix)
    if found.state != "proven":
        status = "fail" if found.state == "wrong" else "unknown"
        one = tuple(Finding(name, status, found.evidence, found.fix) for name in IDS[:2])  # type: ignore[arg-type]
        return Told((*one, *unknown(IDS[2:], found.evidence, found.fix).findings))
    finds = (_swap(site, found), _leaks(site), _streams(site))
    return Told(tuple(one for each in finds for one in each.findings))


def _swap(site: Site, found: Proof) -> Told:
    parts = [Part("pass", found.evidence)]
    if site.wish.calls:
        parts += [_swapped(site, site.config)] if site.config else []
    return told("swap", parts)


def _swapped(site: Site, config: Config) -> Part:
    """A free call with a production key; its row tells which stages it went through."""
    swaps = [mapping for mapping in config.keys.mappings if mapping.staging is not None]
    if not swaps:
        return Part("pass", "no mapping has a staging key: the client's own is sent on")
    key = production(swaps)
    if key is None:
        return Part("unknown", "no production key is known by value", "try a call of your own")
    try:
        reply = ask(route(site), Asked("GET", MODELS, authorization(key)))
    except Unreachable as error:
        return Part("fail", f"a call with the production key failed: {error}", "see `upstream`")
    call_id = reply.headers.get(REQUEST_ID, "")
    if reply.status != 200 or not call_id:
        text = f"a call with the production key got {reply.status} {reply.code}".rstrip()
        return Part("fail", text, "docs/errors.md; 401 invalid_api_key: the staging key is wrong")
    return swapped(site, call_id)


def _leaks(site: Site) -> Told:
    """A planted secret, to an endpoint that is free, should it leave after all."""
    if site.config is None or site.rules is None:
        return unknown(("leaks",), "gateway.yaml cannot be used here", "run doctor at the gateway")
    if site.config.leaks.mode != "enforce":
        text = f"leaks.mode is {site.config.leaks.mode}: what is found leaves"
        return told("leaks", [Part("warn", text, "leaks.mode: enforce")])
    key, plant = safest(site.config), planted(site.rules.detector, site.config)
    if key is None:
        return unknown(("leaks",), "no key is known by value to ask with", "try a call of your own")
    if plant is None:
        text = "no rule of leaks.rules blocks, so that nothing can be tried without leaving"
        return told("leaks", [Part("warn", text, "leaks.action: block")])
    return told("leaks", [_planted(site, key, plant)])


def _planted(site: Site, key: Secret, plant: Planted) -> Part:
    try:
        reply = ask(route(site), plant.asked(authorization(key)))
    except Unreachable as error:
        return Part("unknown", f"the planted secret got no answer: {error}", "look again")
    return _answered(reply, plant)


def _answered(reply: Reply, plant: Planted) -> Part:
    if reply.code == "gateway_secret_detected":
        return Part("pass", f"a planted secret ({plant.rule}) is refused, nothing left")
    if reply.code.startswith("gateway_") or reply.status == 429:
        text = f"the call was refused before it was searched ({reply.status} {reply.code})"
        return Part("unknown", text, "docs/errors.md tells what this code means")
    return Part("fail", f"a planted secret ({plant.rule}) left: {reply.status}", _LEAKS_FIX)


def _streams(site: Site) -> Told:
    key = production(site.config.keys.mappings) if site.config else None
    if not site.wish.calls:
        return unknown(("streams",), "not looked at: it takes a call that costs", CALLS)
    if key is None:
        return unknown(("streams",), "no production key is known by value", "try one by hand")
    return told("streams", [streams.look(site, key)])


def production(mappings: Iterable[KeyMapping]) -> Secret | None:
    """The first production key that is known by value."""
    known = (one.secret for mapping in mappings for one in mapping.production)
    return next((secret for secret in known if secret is not None), None)


def safest(config: Config) -> Secret | None:
    """A key that is let through to the search for leaks: a staging key, where that may come."""
    staging = (mapping.staging for mapping in config.keys.mappings)
    known = next((one.secret for one in staging if one is not None), None)
    if known is not None and config.keys.staging == ACCEPT:
        return known
    return production(config.keys.mappings)
