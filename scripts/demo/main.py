"""Tells the story: each step is run, shown and proven; the first claim that fails ends it."""

import os
import signal
import time
from collections.abc import Iterator

from scripts.demo.keep import keep
from scripts.demo.step import Proof, Scene, Step
from scripts.demo.steps import STORY
from scripts.demo.telling import Teller, on_stdout
from scripts.demo.world import World, three_variables, world
from tests.support.fake_openai import Received
from tests.support.gateway_process import GatewayError
from tests.support.gateway_settings import Keys, fresh_keys

BEGIN = """
An application holds a production key of OpenAI. On a staging host that key must not work. The
application is told where the gateway is and whom to trust, and not one line of it changes: here
it is the real `openai` SDK. OpenAI is a fake on this machine that keeps every byte it gets, and
whatever is claimed below is proven from those bytes. All keys are made up.
"""
LEAK = "the production key is in no byte that OpenAI received"


def main() -> int:
    """0 if every step did what it says, else 1."""
    signal.signal(signal.SIGTERM, _ended)
    keys = fresh_keys()
    teller = on_stdout(keys)
    try:
        return _told(teller, keys)
    except GatewayError as fault:
        teller.line()
        teller.failed("the gateway starts", "/readyz answers 200", "it does not")
        teller.tail(str(fault))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _ended(number: int, _: object) -> None:
    """A SIGTERM takes everything down in order, as any other end does."""
    raise SystemExit(128 + number)


def _told(teller: Teller, keys: Keys) -> int:
    began = time.monotonic()
    teller.line("The OpenAI gateway, step by step", "bold")
    teller.paragraph(BEGIN)
    with world(keys) as stage:
        _setting(stage, teller)
        for number, step in enumerate(STORY, 1):
            if not _step(stage, step, number, teller):
                teller.tail(stage.gateway.output())
                return 1
        _end(stage, teller, time.monotonic() - began)
        if os.environ.get("KEEP", "0") not in ("", "0"):
            keep(stage, teller)
    return 0


def _setting(stage: World, teller: Teller) -> None:
    teller.line()
    teller.paragraph("The application's whole environment:")
    for name, value in three_variables(stage.gateway, stage.keys).items():
        teller.facts(name, [value], width=16)


def _end(stage: World, teller: Teller, seconds: float) -> None:
    size = len(stage.fake.received_bytes())
    teller.line()
    teller.line(f"All {len(STORY)} steps did what they say, in {seconds:.0f} s.", "bold")
    teller.paragraph(
        f"OpenAI received {len(stage.fake.requests)} calls, {size:,} bytes as they came and "
        "decoded. The production key is in none of them."
    )


def _step(stage: World, step: Step, number: int, teller: Teller) -> bool:
    """Whether everything that the step claims holds."""
    teller.title(number, step.title)
    teller.paragraph(step.about)
    teller.line()
    if step.code:
        teller.code(step.code)
    scene = stage.play(step)
    _show(scene, step, teller)
    for proof in _proofs(scene, step):
        if not proof.holds:
            teller.failed(proof.claim, proof.expected, proof.happened)
            return False
        if proof.claim != LEAK:  # said once, at the end
            teller.proved(proof.claim)
    return True


def _show(scene: Scene, step: Step, teller: Teller) -> None:
    if step.show is not None:
        teller.table(step.show(scene))
    if not step.code:
        return
    came_back = [*scene.said, scene.fault] if scene.fault else scene.said
    teller.facts(
        "sent", [line.replace("{production}", scene.keys.production) for line in step.sent]
    )
    teller.facts("left", [line for call in scene.arrived for line in _arrived(call)])
    teller.facts("came back", came_back)


def _arrived(call: Received) -> Iterator[str]:
    """What of a call stands in the fake's record."""
    yield f"{call.method} {call.path}"
    yield from (f"authorization: {value}" for value in call.values("authorization"))
    yield from (data.decode(errors="replace") for data in call.messages())


def _proofs(scene: Scene, step: Step) -> Iterator[Proof]:
    """The step's own, then those that hold for every step."""
    yield from step.check(scene)
    if scene.fault:
        yield Proof("the application ran to its end", False, "no fault", scene.fault)
    yield Proof(LEAK, not scene.leaked, "it never leaves", "it left")
