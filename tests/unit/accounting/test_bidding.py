"""A decision of the call log comes back into the loop, and is booked once."""

import asyncio
import threading
import time

from openai_gateway.accounting.bidding import Bidding, told
from openai_gateway.accounting.charges import DurableCharged
from openai_gateway.accounting.claims import NOBODYS, Bid, Decision
from openai_gateway.core.call import Call, Claim, Content, Request
from tests.unit.accounting.test_charges import Kept

WAITS = (("team", "day", 0, 86_400), ("all", "total", 0, None))


def claiming() -> Call:
    """A call that has read the end of what another may have been charged for."""

    def charge(call: Call) -> None:
        call.cost_nano_usd, call.bill = 7, ("resp_1", True)

    made = Call(Request("GET", "api.openai.com", b"/v1/responses/resp_1", []), status=200)
    made.content, made.hold = Content(b"x" * 1000), object()
    made.claim = Claim("resp_1", charge)
    return made


def from_a_thread(bid: Bid, said: Decision) -> None:
    thread = threading.Thread(target=bid.decided, args=(said,))
    thread.start()
    thread.join()


async def test_what_wins_is_booked_with_the_budgets_that_wait_for_it() -> None:
    charged, booked = DurableCharged(Kept()), list[Call]()
    bidding, call = Bidding(charged), claiming()
    bid = bidding.bid(call, booked.append)
    assert bid is not None
    assert (bid.name, bid.call, bid.paid["cost_nano_usd"]) == ("resp_1", call.id, 7)
    assert call.cost_nano_usd == 0
    from_a_thread(bid, Decision(True, True, told(WAITS)))
    assert booked == []
    await bidding.finish(1.0)
    assert [(one.id, one.cost_nano_usd, one.waits) for one in booked] == [(call.id, 7, WAITS)]
    assert (booked[0].content.data, booked[0].hold) == (b"", None)  # it is held for a while
    assert "resp_1" in charged


async def test_what_loses_books_nothing_and_the_next_read_is_free_at_once() -> None:
    charged, booked = DurableCharged(Kept()), list[Call]()
    bidding = Bidding(charged)
    bid = bidding.bid(claiming(), booked.append)
    assert bid is not None
    from_a_thread(bid, Decision(False, True))
    await bidding.finish(1.0)
    assert booked == []
    assert "resp_1" in charged


async def test_what_nobody_announced_yet_may_still_be_charged() -> None:
    charged = DurableCharged(Kept())
    bidding = Bidding(charged)
    bid = bidding.bid(claiming(), lambda _: None)
    assert bid is not None
    from_a_thread(bid, NOBODYS)
    await bidding.finish(1.0)
    assert "resp_1" not in charged


async def test_a_call_without_a_claim_bids_for_nothing() -> None:
    call = claiming()
    call.claim = None
    assert Bidding(DurableCharged(Kept())).bid(call, lambda _: None) is None


async def test_the_end_waits_for_decisions_only_within_its_time() -> None:
    bidding = Bidding(DurableCharged(Kept()))
    assert bidding.bid(claiming(), lambda _: None) is not None
    began = time.monotonic()
    await bidding.finish(0.1)
    assert time.monotonic() - began < 1.0


def test_a_decision_after_the_loop_has_ended_is_no_fault() -> None:
    bids: list[Bid | None] = []

    async def bid() -> None:
        bids.append(Bidding(DurableCharged(Kept())).bid(claiming(), lambda _: None))

    asyncio.run(bid())
    assert bids[0] is not None
    bids[0].decided(Decision(True, True))
