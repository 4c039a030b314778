"""The judge counts what was missed and what was stopped wrongly, by group and by family."""

import pytest

from tests.leaks.case import Case, Group, chat
from tests.leaks.judge import Judgement, Verdict, fails, judge, markdown, mistakes, table
from tests.leaks.kind import Want

SENT = chat("Hi")


def case(number: int, group: Group = "kinds", family: str = "a", want: Want = "stop") -> Case:
    secret = None if group == "benign" else "s3cret"
    return Case(f"{group}/{family}/{number}", group, family, SENT, "k", secret, want)


@pytest.mark.parametrize(
    ("want", "verdict", "wrong"),
    [
        ("stop", "blocked", False),
        ("stop", "redacted", False),
        ("stop", "reported", True),
        ("stop", "clean", True),
        ("report", "blocked", False),
        ("report", "reported", False),
        ("report", "clean", True),
    ],
)
def test_a_secret_is_found_by_what_its_kind_asks_for(
    want: Want, verdict: Verdict, wrong: bool
) -> None:
    assert fails(case(0, want=want), verdict) is wrong


@pytest.mark.parametrize(
    ("verdict", "wrong"),
    [("blocked", True), ("redacted", True), ("reported", False), ("clean", False)],
)
def test_a_harmless_request_is_wronged_where_it_is_stopped(verdict: Verdict, wrong: bool) -> None:
    assert fails(case(0, "benign"), verdict) is wrong


def judged(verdicts: list[Verdict], group: Group) -> Judgement:
    cases = [case(number, group) for number in range(len(verdicts))]
    said = dict(zip((one.id for one in cases), verdicts, strict=True))
    return judge(cases, lambda one: said[one.id])


def test_rates_are_of_found_secrets_and_of_stopped_harmless_requests() -> None:
    assert judged(["blocked"] * 49 + ["clean"], "kinds").rate("kinds") == 98.0
    assert judged(["blocked"] * 49 + ["clean"], "kinds").holds("kinds")
    assert not judged(["blocked"] * 48 + ["clean"] * 2, "kinds").holds("kinds")
    assert judged(["clean"] * 99 + ["blocked"], "benign").rate("benign") == 1.0
    assert judged(["clean"] * 99 + ["redacted"], "benign").holds("benign")
    assert not judged(["clean"] * 98 + ["redacted"] * 2, "benign").holds("benign")


def test_a_family_is_bad_above_half_missed_or_above_a_third_stopped() -> None:
    assert judged(["clean", "blocked"], "kinds").bad_families() == []
    assert judged(["clean", "clean", "blocked"], "kinds").bad_families() == ["kinds/a: 2 of 3"]
    assert judged(["clean", "clean", "blocked"], "benign").bad_families() == []
    assert judged(["clean", "blocked"], "benign").bad_families() == ["benign/a: 1 of 2"]


def test_the_tables_name_each_group_and_what_is_wanted() -> None:
    made = judge([case(0), case(1), case(2, "benign", "b")], lambda _: "blocked")
    assert all(len(line) <= 80 for line in table(made).splitlines())
    assert "at least 98 %" in table(made)
    assert "not good enough: benign/b: 1 of 1" in table(made)
    assert "| kinds, in the clear | 1 | 2 | 100.0 % | at least 98 % |" in markdown(made)
    assert mistakes(made) == "blocked   benign/b/2 (k)"
