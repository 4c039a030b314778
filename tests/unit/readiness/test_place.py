"""Which log a reading command reads, and that it needs no key of the gateway for it."""

from pathlib import Path

import pytest

from openai_gateway.readiness.place import NoLog, place

NEEDY = "keys: {mappings: [{name: a, production: ['env:NOT_SET'], staging: env:NOT_SET}]}\n"


def test_without_a_file_it_is_the_default_in_the_working_directory(tmp_path: Path) -> None:
    found = place(None, {}, tmp_path)
    assert (found.database.reveal(), found.root) == ("sqlite:///var/calls.db", tmp_path)


def test_no_key_has_to_be_there_and_paths_start_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "at" / "g.yaml"
    file.parent.mkdir()
    file.write_text(NEEDY + "log: {database: sqlite:///x.db, calls: nonsense}\n")
    found = place(str(file), {}, tmp_path)
    assert (found.database.reveal(), found.root) == ("sqlite:///x.db", file.parent)


def test_a_file_that_names_no_database_means_the_default(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(NEEDY)
    assert place(None, {}, tmp_path).database.reveal() == "sqlite:///var/calls.db"


def test_the_variable_names_the_file_too(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("log: {database: sqlite:///x.db}\n")
    found = place(None, {"OPENAI_GATEWAY_CONFIG": str(tmp_path / "g.yaml")}, tmp_path)
    assert found.database.reveal() == "sqlite:///x.db"


def test_a_database_by_reference_is_resolved_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("log: {database: env:DB}\n")
    found = place(None, {"DB": "postgresql+psycopg://gw:FAKE@db.example/calls"}, tmp_path)
    assert found.database.reveal().endswith("/calls")
    assert "FAKE" not in repr(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("log: {database: env:NOT_SET}\n", "NOT_SET is not set"),
        ("log: {database: 7}\n", "log.database"),
        ("log: [\n", "is no YAML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "gateway.yaml").write_text(text)
    with pytest.raises(NoLog, match=words) as told:
        place(None, {}, tmp_path)
    assert "gateway.yaml" in str(told.value)


def test_a_named_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoLog, match=r"nowhere\.yaml"):
        place("nowhere.yaml", {}, tmp_path)
