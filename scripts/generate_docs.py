"""Writes the pages that are made from code, or with --check tells which of them are stale.

python scripts/generate_docs.py [--check]
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "addons"))

from openai_gateway.api.errors import CATALOGUE  # noqa: E402 - after the path is set
from openai_gateway.config.describe import Row, rows  # noqa: E402 - after the path is set
from openai_gateway.config.schema import schema  # noqa: E402 - after the path is set

_MADE: Final = "<!-- Made by scripts/generate_docs.py; do not edit. -->\n"

_CONFIGURATION: Final = """\
# gateway.yaml

{made}
Every field is optional but `keys`. Unknown fields, duplicate names and wrong types stop the start,
all of them at once, each as `FILE:LINE:COL: path: what is wrong, and the fix`.
`openai-gateway config check` says the same without starting; `config explain PATH` tells what a
field means and what it is now; `gateway.example.yaml` shows every field in its place.

- **Where it is found**: `--set gateway_config=PATH`, else `OPENAI_GATEWAY_CONFIG`, else
  `gateway.yaml` in the working directory. With no file at all the defaults hold, with
  `OPENAI_API_KEY_PRODUCTION` and `OPENAI_API_KEY_STAGING` as the one mapping.
- **Paths** that are relative start at the folder of the file. `rules/NAME.yaml` that is not there
  is the one that the package ships.
- **Secrets** are references: `env:NAME`, `file:/path` (a final newline is dropped; a file that
  others can read, or the group write, gives a warning) or `exec:["argv", …]` (needs
  `allow_exec: true`; 10 s at most; its standard output is the secret). A literal secret is an
  error, and no message shows it.
- **URLs with a password** (`log.database`, `limits.store`, `upstream.proxy`) are given by reference
  as a whole; a proxy's user and password also as `http://env:NAME@HOST:PORT`.
- **Words**: a bare `off` is the word `off` wherever a word is expected. `mode` is
  `off | observe | enforce`; observe counts and logs what enforce would do, and the call passes.
- **Several values**: a `match` takes one name or glob, or a list of them, for each of its fields.
  `<<: *anchor` merges are understood.
- **Changes** to the file, or to a secret file that it names, are read again and swapped whole; a
  bad file is refused, and the old one stays in force.
- **In force**: fields marked † are accepted and checked, but do not act yet in this version. A file
  that sets one gets a warning at the start.

{sections}"""

_ERRORS: Final = """\
# Refusals

{made}
Every refusal of the gateway is OpenAI's envelope,
`{{"error": {{"message", "type", "param", "code"}}}}`, with `x-request-id`,
`x-gateway-request-id` and `x-should-retry` (the column *retry*). With `errors.detail: public` the
codes stay, and the messages name nothing of the gateway.

| code | status | type | retry | meaning | fix |
|---|---|---|---|---|---|
{lines}
"""


_HEAD: Final = "| field | type | default | meaning |\n|---|---|---|---|\n"


def configuration() -> str:
    """docs/configuration.md."""
    every = rows()
    tops = [row for row in every if "." not in row.path]
    sections = "\n".join(_section(top, every) for top in tops)
    return _CONFIGURATION.format(made=_MADE, sections=sections)


def _section(top: Row, every: tuple[Row, ...]) -> str:
    below = [row for row in every if row.path.startswith((f"{top.path}.", f"{top.path}[]"))]
    listed = below if top.type == "mapping" else [top, *below]
    lead = f"{top.meaning}\n\n" if top.type == "mapping" else ""
    lines = "\n".join(_line(row) for row in listed)
    return (
        f"## {top.path}\n\n{lead}| field | type | default | meaning |\n|---|---|---|---|\n{lines}\n"
    )


def _line(row: Row) -> str:
    default = row.default if row.required or not row.default else f"`{row.default}`"
    mark = "" if row.acts else " †"
    return f"| `{row.path}`{mark} | {_cell(row.type)} | {_cell(default)} | {_cell(row.meaning)} |"


def errors() -> str:
    """docs/errors.md."""
    lines = "\n".join(
        f"| `{kind.code}` | {kind.status} | `{kind.type}` | {str(kind.retry).lower()} "
        f"| {_cell(kind.meaning)} | {_cell(kind.fix)} |"
        for kind in CATALOGUE.values()
    )
    return _ERRORS.format(made=_MADE, lines=lines)


def _schema() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/configuration.md": configuration,
    "docs/errors.md": errors,
    "schema/gateway.schema.json": _schema,
}


def stale() -> list[str]:
    """Pages that are not what the code says."""
    return [
        name
        for name, make in PAGES.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def main(arguments: list[str]) -> int:
    """0 where all is well, 1 where --check finds a stale page, 2 for wrong usage."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    names = stale()
    for name in names:
        if not arguments:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(PAGES[name](), encoding="utf-8")
        sys.stdout.write(f"{'stale' if arguments else 'written'}: {name}\n")
    if names and arguments:
        sys.stdout.write("run: python scripts/generate_docs.py\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
