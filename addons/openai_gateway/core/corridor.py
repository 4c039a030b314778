"""The walk: each stage is asked in turn, within its time limit; the first that objects ends it.

Nothing is caught here. Whatever a stage throws reaches the one place that catches (the host), which
refuses the call; `call.at` says where it stood.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from openai_gateway.core.call import Call
from openai_gateway.core.stage import Stage
from openai_gateway.core.verdict import PASS, Answer, Pass, Refuse, Silence, Verdict

# A union made at each call costs more than the question.
VERDICTS: Final = (Pass, Refuse, Answer, Silence)


async def walk(stages: Sequence[Stage], call: Call) -> Verdict:
    """Asks every stage. Only a walk to the very end admits the call.

    Raises: whatever a stage raises; TimeoutError when one outlasts its `limit_s`; TypeError when
    one says something else than a Verdict.
    """
    for stage in stages:
        verdict = await ask(stage, call)
        if not isinstance(verdict, Pass):
            return verdict
    call.at = ""
    call.admitted = True
    return PASS


async def ask(stage: Stage, call: Call) -> Verdict:
    """One stage's verdict, written into the trace with the microseconds that it took."""
    call.at = stage.name
    began = time.perf_counter_ns()
    said = stage.check(call)
    if not isinstance(said, VERDICTS):
        async with asyncio.timeout(stage.limit_s):
            said = await said
    if not isinstance(said, VERDICTS):
        raise TypeError(f"{stage.name} said {type(said).__name__}, which is no Verdict")
    call.trace.append((stage.name, name_of(said), (time.perf_counter_ns() - began) // 1000))
    return said


def name_of(verdict: Verdict) -> str:
    """The verdict as the trace shows it."""
    if isinstance(verdict, Pass):
        return verdict.note
    if isinstance(verdict, Refuse):
        why = f" ({verdict.refusal.reason})" if verdict.refusal.reason else ""
        return f"refused: {verdict.refusal.code}{why}"
    why = f" ({verdict.reason})" if verdict.reason else ""
    return f"{'silent' if isinstance(verdict, Silence) else 'answered'}: {verdict.outcome}{why}"
