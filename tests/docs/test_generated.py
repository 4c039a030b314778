"""Pages made from code are what the code says, and the example holds every field."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from openai_gateway.api.errors import CATALOGUE
from openai_gateway.config.describe import rows
from openai_gateway.config.document import parse
from openai_gateway.config.load import load, read
from openai_gateway.config.schema import schema

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "gateway.example.yaml").read_text()
ENV = {
    "OPENAI_API_KEY_PRODUCTION": "sk-proj-" + "FAKE" * 10,
    "OPENAI_API_KEY_STAGING": "sk-proj-" + "EKAF" * 10,
    "PROXY_LOGIN": "user:pass",
    "CI_PROXY_PASSWORD": "FAKE",
    "METRICS_TOKEN": "FAKE",
    "BUDGET_WEBHOOK": "https://hooks.example/FAKE",
    "ALERTS_WEBHOOK": "https://hooks.example/FAKE",
    "CALLS_DATABASE_URL": "postgresql+psycopg://gw:FAKE@db.example/calls",
}
IN_COMMENT = re.compile(r"^(\s*)# e\.g\. ((\w+): .+)$", re.MULTILINE)


def variants() -> list[str]:
    """The example with each `e.g.` line in the place of the field that it is an example of."""
    made = []
    for found in IN_COMMENT.finditer(EXAMPLE):
        indent, line, name = found.groups()
        fields = list(re.finditer(rf"^{indent}{name}: .*$", EXAMPLE[: found.start()], re.MULTILINE))
        made.append(EXAMPLE[: fields[-1].start()] + indent + line + EXAMPLE[fields[-1].end() :])
    return made


def plain(text: str) -> object:
    """The example as JSON Schema's validators and editors see it: by YAML 1.2's words."""
    return json.loads(json.dumps(parse(text).data))


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts/generate_docs.py", "--check"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_errors_page_has_every_code() -> None:
    page = (ROOT / "docs/errors.md").read_text()
    for code in CATALOGUE:
        assert f"| `{code}` |" in page


def test_the_first_line_of_the_example_names_the_schema() -> None:
    assert EXAMPLE.startswith("# yaml-language-server: $schema=schema/gateway.schema.json\n")


def test_the_example_loads_and_says_the_defaults() -> None:
    example = load(ROOT / "gateway.example.yaml", ENV).config
    assert example == read("keys: {}\n", ENV).config


@pytest.mark.parametrize(
    "text", variants(), ids=[found[2] for found in IN_COMMENT.findall(EXAMPLE)]
)
def test_what_the_examples_comments_suggest_loads_too(text: str) -> None:
    config = read(text, ENV, path=ROOT / "gateway.example.yaml").config
    assert config != read("keys: {}\n", ENV).config
    jsonschema.validate(plain(text), schema())


def test_the_example_has_every_field() -> None:
    without_comments = re.sub(r"#.*", "", EXAMPLE)
    for row in rows():
        name = row.path.rpartition(".")[2].removesuffix("[]")
        optional = "tls." in row.path or "[]" in row.path or "NAME" in row.path
        text = EXAMPLE if optional else without_comments
        assert re.search(rf"\b{name}:\s", text), row.path


def test_the_example_is_valid_by_the_schema_and_the_schema_by_its_draft() -> None:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    jsonschema.validate(plain(EXAMPLE), made)


@pytest.mark.parametrize(
    "text",
    ["{}", "keys: {x: 1}", "keys: {mappings: [{staging: sk-x}]}", "{keys: {}, limits: {tier: 9}}"],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema())
