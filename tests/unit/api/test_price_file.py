"""A price file that cannot be trusted is refused with every fault's place; the shipped one can."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from openai_gateway.api.price_file import MAX_BYTES, PriceFileError
from openai_gateway.api.prices import PriceTable
from openai_gateway.api.rates import STANDARD
from openai_gateway.core.usage import Usage

FILE: Final = Path(__file__).parents[3] / "rules/prices.yaml"
DATA: Final[dict[str, Any]] = yaml.safe_load(FILE.read_text())
SMALL: Final = """\
as_of: 2026-11-24
tools:
  web_search: {usd_per_1000_calls: 10}
models:
  m: {usd_per_million: {input: 2, output: 4}}
  n: {same_as: m}
"""


def load(path: Path, text: str, extra: str | None = None) -> PriceTable:
    file, own = path / "prices.yaml", path / "own.yaml"
    file.write_text(text)
    if extra is not None:
        own.write_text(extra)
    return PriceTable.load(file, own if extra is not None else None)


def faults(path: Path, text: str, extra: str | None = None) -> list[str]:
    with pytest.raises(PriceFileError) as caught:
        load(path, text, extra)
    return str(caught.value).replace(f"{path}/", "").splitlines()


def price(table: PriceTable, model: str, **units: int) -> int | None:
    used = Usage(source="reported", model=model, input_tokens=1000, units=units)
    return table.cost(used, endpoint="x", requested_model=None).nano_usd


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    table = load(tmp_path, SMALL)
    assert table.as_of == "2026-11-24"
    assert price(table, "n") == 1000 * 2000
    assert price(table, "m", file_search=1) is None


M = "  m: {usd_per_million: {input: 2, output: 4}}\n"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("as_of: 2026-11-24", "as_of: soon", "1:8: as_of: must be a day, like 2026-11-24"),
        ("as_of: 2026-11-24\n", "", "1:1: (file): needs as_of: the day of these prices"),
        ("tools:", "tool:", "2:1: tool: is unknown; did you mean tools?"),
        ("input: 2", "input: -2", "5:32: models.m.usd_per_million.input: must be a number from 0"),
        ("input: 2", "input: two", "5:32: models.m.usd_per_million.input: must be a number"),
        ("input: 2", "input: null", "5:32: models.m.usd_per_million.input: must be a number"),
        ("input: 2", "input: [2]", "5:32: models.m.usd_per_million.input: must be a number"),
        ("input: 2", "input: 1e99", "5:32: models.m.usd_per_million.input: must be a number"),
        ("input: 2", "input: 0.0000001", "5:32: models.m.usd_per_million.input: is finer than"),
        ("input: 2", "inptu: 2", "5:25: models.m.usd_per_million.inptu: is unknown; did you mean"),
        ("input: 2", "input: 2, input: 3", "5:35: models.m.usd_per_million.input: is given twice"),
        (M, M + M, "6:3: models.m: is given twice; keep one"),
        (M, "  m: {mode: chat}\n", "5:6: models.m: has no price; list it under `unpriced`"),
        (M, "  m: {free: yes}\n", "5:13: models.m.free: must be true, or left out"),
        (M, "  m: {about_usd_per_minute: 1}\n", "5:6: models.m: has no price"),
        (M, "  m: cheap\n", "5:6: models.m: must be a mapping"),
        ("{usd_per_million", "{mode: chta, usd_per_million", "5:13: models.m.mode: is not one of"),
        ("{usd_per_million", "{tiers: {slow: {}}, usd_per_million", "models.m.tiers.slow: is unkn"),
        ("{usd_per_million", "{tiers: {flex: {}}, usd_per_million", "models.m.tiers.flex: lists"),
        (
            "{usd_per_million",
            "{tiers: {flex: {long_usd_per_million: {input: 1}}}, usd_per_million",
            "5:6: models.m: has long prices in a tier; say in `long`",
        ),
        ("{usd_per_million", "{long: {}, usd_per_million", "models.m.long: needs above"),
        ("{usd_per_million", "{shutdown: 2026, usd_per_million", "models.m.shutdown: must be a"),
        (
            "{usd_per_million",
            "{limits: {max_input_tokens: 0.5}, usd_per_million",
            "models.m.limits.max_input_tokens: must be a whole number from 1 on",
        ),
        ("{usd_per_million", "{endpoints: chat, usd_per_million", "models.m.endpoints: must be"),
        ("same_as: m", "same_as: q", "6:16: models.n.same_as: leads to no listed model (q)"),
        ("same_as: m", "same_as: n", "6:16: models.n.same_as: leads to no listed model (n)"),
        ("same_as: m", "same_as: m, mode: chat", "6:6: models.n: has same_as, which takes over"),
        (M, M + "unpriced: [m]\n", "unpriced.0: is unpriced and has a price above"),
        ("{usd_per_1000_calls: 10}", "{}", "3:15: tools.web_search: needs usd_per_1000_calls"),
        ("{usd_per_1000_calls: 10}", "10", "3:15: tools.web_search: must be a mapping"),
        ("web_search: {", "container: {minimum_minutes: 5}\n#", "tools.container: needs usd"),
        (
            "{usd_per_million",
            "{by_size: {9x9: q}, usd_per_million",
            "5:22: models.m.by_size.9x9: is no listed model (q)",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in SMALL
    text = SMALL.replace("  n: {same_as: m}\n", "") if "unpriced:" in new else SMALL
    lines = faults(tmp_path, text.replace(old, new, 1))
    assert any(told in line for line in lines), lines


def test_all_faults_come_at_once_and_in_order(tmp_path: Path) -> None:
    broken = SMALL.replace("input: 2", "input: x").replace("same_as: m", "same_as: q")
    lines = faults(tmp_path, broken.replace("2026-11-24", "today"), "models: {m: {}}\n")
    places = [line.split(": ")[0] for line in lines]
    assert places == ["own.yaml:1:1", "own.yaml:1:13", "prices.yaml:1:8", "prices.yaml:5:32",
                      "prices.yaml:6:16"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "prices.yaml:1:1: (file): is empty"),
        ("as_of: [", "prices.yaml:2:1: (file): is no YAML: did not find expected node content"),
        ("a: b: c", "prices.yaml:1:5: (file): is no YAML: mapping values are not allowed"),
        ("- 1\n", "prices.yaml:1:1: (file): must be a mapping"),
        ("as_of: 2026-11-24\n", "prices.yaml:1:1: models: lists no models"),
        ("a: \0", "prices.yaml:1:1: (file): is no YAML"),
        ("[" * 100_000, "prices.yaml:1:17: (file): is no YAML: is nested too deeply"),
        ("? [a]\n: 1\n", "prices.yaml:2:3: ?: has a name that is no text"),
        ("models: &m\n  x: *m\n", "prices.yaml:2:3: models.x.x: is unknown"),
        ("#" * (MAX_BYTES + 1), "prices.yaml:1:1: (file): is larger than 4 MiB"),
    ],
)
def test_what_is_no_price_file_at_all_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert any(line.startswith(told) for line in faults(tmp_path, text)), faults(tmp_path, text)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PriceTable.load(tmp_path / "nowhere.yaml")


# own prices


def own(models: str, more: str = "") -> str:
    return f"as_of: 2026-12-01\n{more}models:\n{models}"


def test_an_own_price_takes_the_place_of_the_whole_entry(tmp_path: Path) -> None:
    tier = SMALL.replace("  m: {", "  m: {tiers: {flex: {usd_per_million: {input: 1}}}, ")
    table = load(tmp_path, tier, own("  m: {usd_per_million: {input: 1.5}}\n"))
    assert price(table, "m") == 1000 * 1500
    assert price(table, "n") == 1000 * 1500  # what points to it follows
    found = table.lookup("m")
    assert found is not None
    assert set(found.rates) == {(STANDARD, False)}
    assert table.as_of == "2026-12-01"


def test_what_is_listed_as_unpriced_is_not_found_without_its_date(tmp_path: Path) -> None:
    table = load(tmp_path, SMALL + "unpriced: [m-2026-01-01]\n")
    assert price(table, "m-2026-01-02") == 1000 * 2000
    assert price(table, "m-2026-01-01") is None


def test_own_windows_are_added_to_the_listed_ones(tmp_path: Path) -> None:
    windows = "background_windows: {2h: 0.5}\n"
    table = load(tmp_path, SMALL + windows, own("  o: {free: true}\n", windows.replace("2h", "9h")))
    used = Usage(source="reported", model="m", input_tokens=1000)
    for window in ("2h", "9h"):
        found = table.cost(used, endpoint="x", requested_model=None, background_window=window)
        assert found.nano_usd == 1000 * 1000


def test_own_models_and_aliases_are_added(tmp_path: Path) -> None:
    table = load(tmp_path, SMALL, own("  o: {usd_per_minute: 0.06}\n  p: {same_as: n}\n"))
    assert price(table, "p") == 1000 * 2000
    assert table.names == {"m", "n", "o", "p"}


def test_an_own_alias_replaces_an_entry_and_an_entry_an_alias(tmp_path: Path) -> None:
    swapped = own("  m: {same_as: n}\n  n: {usd_per_million: {input: 7}}\n")
    assert price(load(tmp_path, SMALL, swapped), "m") == 1000 * 7000


def test_an_own_price_ends_being_unpriced(tmp_path: Path) -> None:
    base = SMALL + "unpriced: [law]\n"
    assert price(load(tmp_path, base), "law") is None
    assert (
        price(load(tmp_path, base, own("  law: {usd_per_million: {input: 3}}\n")), "law")
        == 3 * 10**6
    )


def test_an_own_fee_takes_the_place_of_the_listed_one(tmp_path: Path) -> None:
    fee = "tools: {web_search: {usd_per_1000_calls: 8}}\n"
    table = load(tmp_path, SMALL, own("  o: {free: true}\n", fee))
    assert price(table, "m", web_search=1) == 1000 * 2000 + 8_000_000


def test_own_prices_without_models_are_fine(tmp_path: Path) -> None:
    fee = "as_of: 2026-12-01\ntools: {file_search: {usd_per_1000_calls: 1}}\n"
    assert price(load(tmp_path, SMALL, fee), "m", file_search=1) == 1000 * 2000 + 1_000_000


# the file that ships


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, entry) for name, entry in DATA["models"].items() if "same_as" not in entry)


def test_the_shipped_file_has_no_fault_and_is_dated() -> None:
    table = PriceTable.load(FILE)
    assert table.as_of == str(DATA["as_of"])
    assert len(table.names) > 200


def test_each_shipped_entry_names_its_sources() -> None:
    assert all(entry["check"]["by"] for _, entry in entries())
    known = {"litellm", "genai", "page", "other"}
    assert all(set(entry["check"]["by"]) <= known for _, entry in entries())


def test_each_shipped_price_is_plausible_beside_its_neighbours() -> None:
    table = PriceTable.load(FILE)
    for name, _ in entries():
        found = table.lookup(name)
        assert found is not None
        standard = found.rates[STANDARD, False]
        for (tier, long), rates in found.rates.items():
            assert rates.get("cached_input", 0) <= rates.get("input", 0), (name, tier)
            for kind, pico in rates.items():
                short = found.rates[tier, False][kind]
                assert pico >= short or not long, (name, tier, kind)
                usual = standard.get(kind, 0)
                assert tier not in ("flex", "batch") or long or pico <= usual, (name, tier, kind)
                assert tier not in ("priority", "ultrafast") or pico >= usual, (name, tier, kind)
