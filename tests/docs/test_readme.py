"""What README and docs/ say is so: tests, files, links, commands, codes and metrics are there."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from openai_gateway.api.errors import CATALOGUE
from openai_gateway.cli.main import COMMANDS, Commands, main
from openai_gateway.config.pending import IDLE
from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions
from scripts.demo.steps import STORY

ROOT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/*.md", "certs/*.md", "deploy/**/*.md")
PAGES = sorted(page for place in PLACES for page in ROOT.glob(place))
WRITTEN = [page for page in PAGES if "Made by scripts/" not in page.read_text()]
TERMINAL = {"text", "console"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
TEST = re.compile(r"test_\w+")
MADE_LATER = ("certs/", "var/", ".venv")

over_pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
over_written = pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each fenced block."""
    yield from BLOCK.findall(page.read_text())


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text())


def spans(page: Path) -> Iterator[str]:
    """What stands in backticks, and the words of links."""
    yield from SPAN.findall(prose(page))


def code_of(page: Path) -> str:
    return "\n".join([*spans(page), *(text for _, text in blocks(page))])


def named_in(path: Path) -> set[str]:
    return set(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in headings}


@over_pages
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for _, target in LINK.findall(prose(page)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@over_written
def test_every_named_test_is_there(page: Path) -> None:
    every = {name for path in ROOT.glob("tests/**/test_*.py") for name in named_in(path)}
    for span in spans(page):
        if TEST.fullmatch(span):
            assert span in every, span


@over_written
def test_a_linked_test_is_in_the_file_that_the_link_names(page: Path) -> None:
    for words, target in LINK.findall(prose(page)):
        name = words.strip("`")
        if TEST.fullmatch(name):
            assert name in named_in(page.parent / target), f"{name} in {target}"


def test_every_guarantee_names_a_test() -> None:
    text = (ROOT / "README.md").read_text()
    table = text[text.index("| guarantee | test |") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 10
    for line in table:
        assert re.search(r"\[`test_\w+`\]\(tests/", line), line


@over_written
def test_every_named_make_target_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in re.findall(r"\bmake ([a-z-]+)", code_of(page)):
        assert name in targets, f"make {name}"


def test_every_make_target_is_in_the_table() -> None:
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE):
        assert target == "help" or f"`make {target}`" in text, target


@over_written
def test_every_named_command_is_there(page: Path) -> None:
    assert isinstance(main, Commands)
    context = click.Context(main)
    for name, below in re.findall(r"openai-gateway ([a-z]+)(?: ([a-z]+)\b)?", code_of(page)):
        command = main.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group) and below:
            assert below in command.commands, f"{name} {below}"


def test_every_command_is_in_the_table() -> None:
    text = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"`openai-gateway {name}" in text, name


@over_written
def test_terminal_blocks_are_readable_at_80_columns(page: Path) -> None:
    for language, text in blocks(page):
        if language in TERMINAL:
            assert [line for line in text.splitlines() if len(line) > 80] == []


@over_written
def test_every_named_code_of_a_refusal_is_in_the_catalogue(page: Path) -> None:
    for span in spans(page):
        if re.fullmatch(r"gateway_\w+", span) and span != "gateway_config":
            assert span in CATALOGUE, span


@over_written
def test_every_named_metric_is_a_family(page: Path) -> None:
    metrics = Metrics(Labels(), Versions("0", "0", "0"))
    families = {family.name: family for family in metrics.registry.collect()}
    for name, labels in re.findall(r"`(openai_gateway_\w+)(?:\{([^}]*)\})?`", prose(page)):
        bare = name.removesuffix("_total")
        assert bare in families, name
        declared = metrics.registry._names_to_collectors[name]._labelnames  # type: ignore[attr-defined]  # no public way to a family's labels
        for label in filter(None, re.split(r",\s*", labels)):
            assert label.split("=")[0] in declared, f"{name}{{{label}}}"


def test_every_file_named_in_development_is_there() -> None:
    page = ROOT / "docs" / "development.md"
    for span in spans(page):
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+/?", span) and not span.startswith(MADE_LATER):
            assert (ROOT / span).exists() or span == "tests/unit/FOLDER/test_stage.py", span
    drawn = next(text for language, text in blocks(page) if language == "text")
    for named in re.findall(r"\b\w+(?:/\w+)*\.py\b", drawn):
        assert (ROOT / "addons" / "openai_gateway" / named).exists(), named


def test_the_picture_in_development_has_every_stage_in_order() -> None:
    page = (ROOT / "docs" / "development.md").read_text()
    drawn = re.findall(r"^ {18}([\w.]+) +\w+/\w+\.py ", page, re.MULTILINE)
    chain = (ROOT / "addons" / "openai_gateway" / "chain.py").read_text()
    order = " ".join(re.findall(r"^ {4}(\S.* ▶ .*|▶ .*)$", chain, re.MULTILINE))
    assert drawn == order.split(" ▶ ")


def test_the_example_test_in_development_passes(tmp_path: Path) -> None:
    page = ROOT / "docs" / "development.md"
    (example,) = (text for language, text in blocks(page) if language == "python")
    file = tmp_path / "test_example.py"
    file.write_text(example)
    command = [sys.executable, "-m", "pytest", "-p", "tests.e2e.conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 - our own test
        [*command, f"--rootdir={ROOT}", "-c", str(ROOT / "pyproject.toml"), str(file)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_steps_of_the_demo_are_those_of_the_readme() -> None:
    listed = re.findall(r"^(\d+)\. (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert listed == [(str(number), step.title) for number, step in enumerate(STORY, 1)]


def test_the_readme_names_every_section_that_is_not_in_force() -> None:
    text = prose(ROOT / "README.md")
    said = text[text.index("**Not in this version.**") :].split("\n\n")[0]
    for section, names in IDLE.items():
        assert f"`{section}" in said, section
        assert section in ("leaks", "log") or all(f"{section}.{name}" in said for name in names)


def test_yaml_blocks_are_yaml() -> None:
    found = [text for page in WRITTEN for language, text in blocks(page) if language == "yaml"]
    assert found
    for text in found:
        assert yaml.safe_load(text)


def test_every_dependency_has_its_line_and_no_other_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    listed = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs/dependencies.md").read_text(), re.M)
    assert sorted(listed) == sorted(re.split(r"[\[<>=]", one)[0] for one in declared)


def test_the_licence_is_the_one_of_the_project() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "MIT"
