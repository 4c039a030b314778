"""Every finding of `openai-gateway doctor`, and every option, is told on its page."""

import re
from pathlib import Path

from openai_gateway.cli.doctor import doctor
from openai_gateway.doctor.probes import ORDER

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()


def test_the_findings_are_those_of_the_page_in_its_order() -> None:
    table = PAGE[PAGE.index("## Findings") : PAGE.index("## What it cannot tell")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(ORDER)


def test_every_option_is_told() -> None:
    for option in doctor.params:
        assert any(f"`{name}" in PAGE for name in option.opts), option.name
