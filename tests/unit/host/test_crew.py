"""The decisions over N workers, told what happened, without a process or a clock."""

import logging

import pytest

from openai_gateway.host.acts import Act, End, Finish, Kill, Retire, Start, Tell
from openai_gateway.host.crew import END_S, READY_S, UP_S, Crew, delay_s, ended


def deeds(acts: list[Act]) -> list[Act]:
    """What is done, without what is said."""
    return [act for act in acts if not isinstance(act, Tell)]


def words(acts: list[Act]) -> str:
    return "\n".join(act.text for act in acts if isinstance(act, Tell))


def serving(count: int) -> Crew:
    """A crew whose members 1 to `count` hold the places of the same number, all since 0."""
    crew = Crew(count)
    crew.begin(0)
    for member in range(1, count + 1):
        crew.up(member, 600, 0)
    return crew


def test_the_first_worker_goes_ahead_and_the_others_follow_once_it_serves() -> None:
    crew = Crew(3)
    assert crew.begin(0) == [Start(1, 1)]
    assert crew.up(1, 600, 4) == [Start(2, 2), Start(3, 3)]
    assert crew.up(3, 600, 6) == []
    assert words(crew.up(2, 600, 7)) == "3 workers serve"


@pytest.mark.parametrize("code", [1, 3, -9])
def test_a_first_worker_that_refuses_the_start_ends_all_with_one(code: int) -> None:
    crew = Crew(2)
    crew.begin(0)
    acts = crew.gone(1, code, 1)
    assert deeds(acts) == [Finish(1)]
    assert words(acts).startswith("worker 1 ")


def test_a_later_one_that_refuses_the_first_start_ends_those_that_serve() -> None:
    crew = Crew(3)
    crew.begin(0)
    crew.up(1, 600, 1)
    assert deeds(crew.gone(2, 1, 2)) == [End(1), End(3)]
    assert crew.gone(1, 0, 3) == []
    assert crew.gone(3, -15, 3) == [Finish(1)]


def test_one_that_never_serves_is_killed() -> None:
    crew = Crew(2)
    crew.begin(0)
    assert crew.tick(UP_S - 0.1) == []
    assert deeds(crew.tick(UP_S)) == [Kill(1)]
    assert deeds(crew.gone(1, -9, UP_S + 1)) == [Finish(1)]


def test_the_pause_before_a_start_doubles_from_half_a_second_to_thirty() -> None:
    assert [delay_s(deaths) for deaths in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert delay_s(10**6) == 30


def test_a_worker_that_dies_is_started_again_after_a_pause() -> None:
    crew = serving(2)
    acts = crew.gone(2, -9, 100)
    assert deeds(acts) == []
    assert words(acts) == "worker 2 was ended by SIGKILL; it is started again in 0.5 s"
    assert crew.tick(100.4) == []
    assert crew.tick(100.5) == [Start(3, 2)]
    assert crew.tick(101) == []
    assert words(crew.up(3, 600, 102)) == "worker 2 serves again"


def test_early_deaths_in_a_row_make_the_pause_longer_and_a_late_one_makes_it_short_again() -> None:
    crew = serving(1)
    now, pauses = 100.0, []
    for member in range(1, 6):
        lived = 50 if member in (1, 5) else 1
        acts = crew.gone(member, 1, now + lived)
        pauses.append(words(acts).split("again in ")[1])
        now += lived + 60
        assert crew.tick(now) == [Start(member + 1, 1)]
    assert pauses == ["0.5 s", "1 s", "2 s", "4 s", "0.5 s"]


def test_a_rolling_restart_replaces_one_after_another_when_the_new_one_is_ready() -> None:
    crew = serving(2)
    assert deeds(crew.hangup(10)) == [Start(3, 1)]
    assert crew.up(3, 600, 12) == []
    assert crew.ready(3, 13) == [Retire(1), Start(4, 2)]
    assert crew.gone(1, 0, 14) == []
    assert crew.up(4, 600, 15) == []
    acts = crew.ready(4, 16)
    assert deeds(acts) == [Retire(2)]
    assert words(acts) == "all workers were replaced"
    assert crew.gone(2, 0, 17) == []
    assert [one.id for one in crew.members()] == [3, 4]


def test_a_new_worker_that_ends_before_it_is_ready_leaves_the_old_ones() -> None:
    crew = serving(2)
    crew.hangup(10)
    acts = crew.gone(3, 1, 12)
    assert deeds(acts) == []
    assert words(acts).startswith("worker 1 was not replaced: the new one ended with exit code 1")
    assert any(isinstance(act, Tell) and act.level == logging.ERROR for act in acts)
    assert [one.id for one in crew.members()] == [1, 2]
    assert deeds(crew.hangup(20)) == [Start(4, 1)]


def test_a_new_worker_that_does_not_become_ready_is_killed_and_the_old_ones_stay() -> None:
    crew = serving(2)
    crew.hangup(10)
    crew.up(3, 600, 11)
    assert crew.tick(10 + READY_S - 0.1) == []
    assert deeds(crew.tick(10 + READY_S)) == [Kill(3)]
    assert deeds(crew.gone(3, -9, 100)) == []
    assert [one.id for one in crew.members()] == [1, 2]


def test_an_old_one_that_dies_while_its_successor_starts_is_not_started_twice() -> None:
    crew = serving(1)
    crew.hangup(10)
    crew.gone(1, -9, 11)
    assert crew.tick(12) == []
    assert deeds(crew.ready(2, 13)) == []
    assert crew.tick(100) == []


def test_an_old_one_that_dies_is_started_again_when_its_successor_fails() -> None:
    crew = serving(1)
    crew.hangup(10)
    crew.gone(1, -9, 11)
    crew.gone(2, 1, 12)
    assert crew.tick(12) == [Start(3, 1)]


def test_a_replaced_worker_has_as_long_as_its_calls_may_take() -> None:
    crew = serving(1)
    crew.hangup(10)
    crew.ready(2, 20)
    assert crew.tick(20 + 600 + END_S - 0.1) == []
    assert deeds(crew.tick(20 + 600 + END_S)) == [Kill(1)]


def test_a_second_hangup_hurries_those_that_retire_and_goes_through_all_once_more() -> None:
    crew = serving(1)
    crew.hangup(10)
    assert deeds(crew.hangup(11)) == []
    assert crew.ready(2, 12) == [Retire(1), End(1), Start(3, 1)]
    assert deeds(crew.ready(3, 13)) == [Retire(2)]


def test_a_hangup_before_all_serve_is_passed_over() -> None:
    crew = Crew(2)
    crew.begin(0)
    assert deeds(crew.hangup(1)) == []


def test_a_stop_ends_all_once_and_is_over_when_the_last_is_gone() -> None:
    crew = serving(2)
    crew.hangup(10)
    crew.ready(3, 11)
    assert crew.terminate(12) == [End(3), End(1), End(2), End(4)]
    assert crew.terminate(13) == []
    for member in (1, 2, 3):
        assert crew.gone(member, 0, 14) == []
    assert crew.gone(4, -15, 15) == [Finish(0)]


def test_what_does_not_end_in_time_is_killed() -> None:
    crew = serving(2)
    crew.terminate(10)
    crew.gone(1, 0, 11)
    assert deeds(crew.tick(10 + END_S)) == [Kill(2)]
    assert deeds(crew.tick(11 + END_S)) == []
    assert crew.gone(2, -9, 50) == [Finish(0)]


def test_nothing_is_started_once_all_are_to_end() -> None:
    crew = serving(2)
    crew.gone(1, 1, 5)
    crew.terminate(6)
    assert crew.tick(30) == []
    assert crew.ready(2, 31) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "ended with exit code 0"),
        (1, "ended with exit code 1"),
        (-11, "was ended by SIGSEGV"),
        (-200, "was ended by signal 200"),
    ],
)
def test_an_end_is_told_in_words(code: int, said: str) -> None:
    assert ended(code) == said
