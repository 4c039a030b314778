"""Charged once, also where a restart lies between the beginning and the end."""

import pytest

from openai_gateway.accounting.charges import DurableCharged


class Kept:
    """What a database holds; `readable` tells whether the earlier ids could be read."""

    def __init__(self, **earlier: bool) -> None:
        self.earlier = earlier
        self.readable = True
        self.put: list[tuple[str, bool]] = []

    def put_charge(self, name: str, charged: bool) -> None:
        self.put.append((name, charged))

    def decides(self, name: str) -> bool:
        return name.isascii()

    def earlier_charges(self) -> dict[str, bool] | None:
        return self.earlier if self.readable else None


def test_what_was_begun_before_the_restart_is_awaited_until_its_end_is_seen() -> None:
    kept = Kept(resp_1=False)
    charged = DurableCharged(kept)
    assert charged.awaited("resp_1")
    assert "resp_1" not in charged
    charged.note("resp_1", charged=True)
    assert not charged.awaited("resp_1")
    assert "resp_1" in charged
    assert kept.put == [("resp_1", True)]


def test_what_was_charged_before_the_restart_stays_so() -> None:
    kept = Kept(resp_1=True)
    charged = DurableCharged(kept)
    assert "resp_1" in charged
    charged.note("resp_1", charged=False)
    assert "resp_1" in charged
    assert not charged.awaited("resp_1")
    assert kept.put == [("resp_1", True)]


def test_an_unknown_id_is_neither_charged_nor_awaited() -> None:
    charged = DurableCharged(Kept())
    assert "resp_1" not in charged
    assert not charged.awaited("resp_1")


def test_a_database_that_comes_back_later_is_read_then() -> None:
    kept = Kept(resp_1=False, resp_2=True, resp_3=False)
    kept.readable = False
    charged = DurableCharged(kept)
    charged.note("resp_3", charged=True)
    assert not charged.awaited("resp_1")
    kept.readable = True
    assert charged.awaited("resp_1")
    assert "resp_2" in charged
    assert not charged.awaited("resp_3")  # what this process saw is newer than what was read


@pytest.mark.parametrize("end", [True, False])
def test_every_note_is_kept(end: bool) -> None:
    kept = Kept()
    DurableCharged(kept).note("resp_1", charged=end)
    assert kept.put == [("resp_1", end)]


def test_polling_writes_the_same_thing_once() -> None:
    kept = Kept()
    charged = DurableCharged(kept)
    for end in (False, False, True):
        charged.note("resp_1", charged=end)
    assert kept.put == [("resp_1", False), ("resp_1", True)]


def test_who_sees_an_end_is_decided_where_all_gateways_write() -> None:
    """Also what this process began itself: another may have seen its end before."""
    kept = Kept()
    charged = DurableCharged(kept)
    charged.note("resp_1", charged=False)
    assert charged.claim("resp_1") is None
    assert "resp_1" not in charged
    charged.told("resp_1", True)
    assert "resp_1" in charged
    assert kept.put == [("resp_1", False)]  # what is told was read in the database


def test_an_id_that_no_database_takes_is_decided_here() -> None:
    charged = DurableCharged(Kept())
    charged.note("r\u00e9sp", charged=False)
    assert charged.claim("r\u00e9sp") is True
    assert charged.claim("r\u00e9sp") is False


def test_what_another_worker_noted_is_known_here_and_written_there_alone() -> None:
    here, there = Kept(), Kept()
    one, other = DurableCharged(here), DurableCharged(there)
    one.tell = other.told
    one.note("resp_1", charged=False)
    assert other.awaited("resp_1")
    one.note("resp_1", charged=True)
    assert "resp_1" in other
    assert not other.awaited("resp_1")
    assert here.put == [("resp_1", False), ("resp_1", True)]
    assert there.put == []
