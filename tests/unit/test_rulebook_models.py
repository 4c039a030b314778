"""What is wrong with the files and pairs that a configuration names is told with its place."""

from pathlib import Path

import pytest

from openai_gateway import rulebook
from openai_gateway.config.load import read
from openai_gateway.config.problems import ConfigError

ENV = {
    "OPENAI_API_KEY_PRODUCTION": "sk-proj-" + "FAKEprod" * 5,
    "OPENAI_API_KEY_STAGING": "sk-proj-" + "FAKEstag" * 5,
}
MODELS = """\
keys: {{}}
leaks: {{mode: off}}
models:
  mode: {}
  substitute:
    "gpt-5*": gpt-6-luna
    gpt-6-luna: gpt-6.1-sol
"""


def told(tmp_path: Path, text: str) -> tuple[list[str], list[str]]:
    """Problems, and warnings."""
    path = tmp_path / "gateway.yaml"
    try:
        rules = rulebook.read(read(text, ENV, path=path))
    except ConfigError as error:
        return [str(one) for one in error.problems], []
    return [], [str(one) for one in rules.warnings]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_dearer_substitute_is_a_problem_of_its_line(tmp_path: Path, mode: str) -> None:
    (problem,), _ = told(tmp_path, MODELS.format(mode))
    assert problem == (
        f"{tmp_path}/gateway.yaml:7:5: models.substitute.gpt-6-luna: gpt-6.1-sol costs more for "
        "input than gpt-6-luna; name another model"
    )


def test_a_section_that_is_off_only_warns(tmp_path: Path) -> None:
    problems, warnings = told(tmp_path, MODELS.format("off"))
    assert problems == []
    assert [warning.split(":")[1:3] for warning in warnings] == [["6", "5"]] * 2 + [["7", "5"]]
    assert "never holds for gpt-5-nano" in warnings[0]


def test_a_file_of_capabilities_that_does_not_read_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules/models.yaml"
    file.write_text("as_of: 2026-11-24\nparameters: {}\nfamilies: [{models: [a]}]\n")
    problems, _ = told(tmp_path, "keys: {}\nleaks: {mode: off}\n")
    assert problems == [
        f"{file}:3:12: families.0: needs check",
        f"{file}:3:12: families.0: needs class",
    ]
