"""What models can do is read strictly, and nothing is guessed from a name that is alike."""

from pathlib import Path

import pytest
import yaml

from openai_gateway.api.capabilities import Capabilities
from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.api.price_file import PriceFileError
from openai_gateway.api.prices import PriceTable

FILE = Path("rules/models.yaml")
GOOD = """\
as_of: 2026-11-24
source: {s: somewhere}
parameters: {chat: {chat.create: [model]}}
families:
  - models: [gpt-a]
    class: chat
    endpoints: [chat.create]
    reasoning: true
    efforts: [none, low]
    default_effort: low
    check: [s]
"""


def read(tmp_path: Path, text: str) -> Capabilities:
    file = tmp_path / "models.yaml"
    file.write_text(text)
    return Capabilities.load(file)


def test_a_model_is_found_by_its_name_or_without_its_date(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert found.lookup("gpt-a") is found.lookup("gpt-a-2026-01-31")
    for name in ("gpt-a-mini", "gpt-", "ft:gpt-a:acme::x", "gpt-a-2026"):
        assert found.lookup(name) is None
    assert found.allowed("chat", "chat.create") == {"model"}
    assert found.allowed("chat", "responses.create") == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("as_of: 2026-11-24", "as_of: soon", "1:8: as_of: must be a day"),
        ("as_of: 2026-11-24\n", "", "1:1: (file): needs as_of"),
        ("class: chat", "class: chatt", "6:12: families.0.class: is not one of"),
        ("[chat.create]\n    rea", "[audio.speech]\n    rea", "has no list of parameters"),
        ("default_effort: low", "default_effort: max", "is not among its efforts"),
        ("[none, low]", "[none, lower]", "families.0.efforts.1: is not one of"),
        ("check: [s]", "check: [t]", "is not one of s"),
        ("    check: [s]\n", "", "families.0: needs check"),
        ("reasoning: true", "reasoning: false", "must be true, or left out"),
        ("[gpt-a]", "[gpt-a, gpt-a]", "is listed twice"),
        ("    efforts", "    eforts", "is unknown; did you mean efforts?"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(PriceFileError) as fault:
        read(tmp_path, GOOD.replace(old, new))
    assert told in str(fault.value)


def test_the_file_names_models_that_have_a_price_and_endpoints_that_there_are() -> None:
    found = Capabilities.load(FILE)
    prices = PriceTable.load(Path("rules/prices.yaml"))
    endpoints = EndpointTable.load(Path("rules/endpoints.yaml")).names()
    assert all(prices.lookup(name) is not None for name in found.models)
    assert {name for one in found.models.values() for name in one.endpoints} <= endpoints
    assert {endpoint for _, endpoint in found.parameters} <= endpoints


def test_every_source_of_the_file_is_used() -> None:
    data = yaml.safe_load(FILE.read_text())
    used = {name for family in data["families"] for name in family["check"]}
    assert used == set(data["source"])
