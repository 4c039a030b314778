"""The walk: one direction, first objection ends it, only its end admits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from openai_gateway.api.errors import refusal
from openai_gateway.core.call import Call, Request
from openai_gateway.core.corridor import walk
from openai_gateway.core.verdict import PASS, Answer, Pass, Refuse, Verdict

REFUSED = Refuse(refusal("gateway_missing_key"))


class Room:
    def __init__(self, name: str, says: Callable[[], object], limit_s: float = 0.05) -> None:
        self.name = name
        self.says = says
        self.limit_s = limit_s
        self.asked = 0

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        del call
        self.asked += 1
        return self.says()  # type: ignore[return-value]  # that some say nonsense is the point


def call() -> Call:
    return Call(Request("POST", "api.openai.com", b"/v1/responses", []))


async def later(verdict: object) -> object:
    await asyncio.sleep(0)
    return verdict


async def test_a_call_starts_refused_and_only_the_end_of_the_walk_admits_it() -> None:
    walked = call()
    assert not walked.admitted
    verdict = await walk([Room("a", lambda: PASS), Room("b", lambda: later(Pass("noted")))], walked)
    assert verdict is PASS
    assert walked.admitted
    assert [(stage, said) for stage, said, _ in walked.trace] == [("a", "pass"), ("b", "noted")]


@pytest.mark.parametrize("says", [lambda: REFUSED, lambda: later(REFUSED)])
async def test_the_first_refusal_ends_the_walk(says: Callable[[], object]) -> None:
    walked, last = call(), Room("last", lambda: PASS)
    verdict = await walk([Room("a", says), last], walked)
    assert verdict == REFUSED
    assert last.asked == 0
    assert not walked.admitted
    assert walked.trace[0][1] == "refused: gateway_missing_key"


async def test_an_answer_ends_the_walk_without_admitting() -> None:
    walked = call()
    answer = Answer(200, (), b"{}")
    assert await walk([Room("replay", lambda: answer)], walked) is answer
    assert not walked.admitted
    assert walked.trace[0][1] == "answered: replayed"


@pytest.mark.parametrize("nonsense", [None, True, "pass", (PASS, PASS), [PASS], Pass, 0])
async def test_whatever_is_no_verdict_is_a_fault(nonsense: object) -> None:
    for says in (lambda: nonsense, lambda: later(nonsense)):
        walked = call()
        with pytest.raises(TypeError):
            await walk([Room("a", says)], walked)
        assert not walked.admitted
        assert walked.at == "a"


async def test_a_stage_that_waits_too_long_is_cut_off() -> None:
    walked = call()
    with pytest.raises(TimeoutError):
        await walk([Room("slow", lambda: asyncio.sleep(60, PASS), limit_s=0.01)], walked)
    assert not walked.admitted


@pytest.mark.parametrize("fault", [ValueError, asyncio.CancelledError, SystemExit])
async def test_whatever_a_stage_throws_reaches_the_one_who_catches(
    fault: type[BaseException],
) -> None:
    def throw() -> object:
        raise fault

    walked = call()
    with pytest.raises(fault):
        await walk([Room("a", throw)], walked)
    assert not walked.admitted
    assert walked.at == "a"


async def test_no_stages_admit_nothing_less_than_a_whole_walk() -> None:
    walked = call()
    assert await walk([], walked) is PASS
    assert walked.admitted
