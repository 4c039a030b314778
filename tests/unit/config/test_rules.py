"""Which of two rule files is read: the user's own, else the package's."""

from pathlib import Path

from openai_gateway.config.rules import rule_file


def test_a_rule_file_of_ones_own_wins(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/endpoints.yaml").write_text("")
    assert rule_file(tmp_path, "rules/endpoints.yaml") == tmp_path / "rules/endpoints.yaml"


def test_without_one_it_is_the_packages(tmp_path: Path) -> None:
    found = rule_file(tmp_path, "rules/endpoints.yaml")
    assert found.is_file()
    assert tmp_path not in found.parents


def test_any_other_path_is_only_ones_own(tmp_path: Path) -> None:
    for name in ("mine/endpoints.yaml", "rules/../rules/endpoints.yaml", "rules/nowhere.yaml"):
        assert rule_file(tmp_path, name) == tmp_path / name
