"""What is known of a machine before any probe looks."""

from pathlib import Path

import pytest

from openai_gateway.doctor.site import Wish, is_ours, survey
from tests.unit.doctor.rig import site


@pytest.mark.parametrize(
    ("host", "ours"),
    [("127.0.0.1", True), ("0.0.0.0", True), ("localhost", True), ("192.0.2.1", False),  # noqa: S104
     ("no-such-host.invalid", False), ("a" * 70, False)],
)  # fmt: skip
def test_an_address_is_ours_if_it_can_be_listened_on(host: str, ours: bool) -> None:
    assert is_ours(host) is ours


def test_a_bad_file_is_kept_as_its_problems(tmp_path: Path) -> None:
    found = site(tmp_path, {"nonsense": 1})
    assert found.loaded is None
    assert [one.path for one in found.problems] == ["nonsense"]
    assert found.root == tmp_path


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    found = survey(Wish(str(tmp_path / "no.yaml"), ("127.0.0.1", 1)), {}, tmp_path)
    assert "is no file" in found.problems[0].message


def test_every_address_is_reached_on_loopback(tmp_path: Path) -> None:
    assert site(tmp_path, listen=("0.0.0.0", 8080)).gateway == ("127.0.0.1", 8080)  # noqa: S104
