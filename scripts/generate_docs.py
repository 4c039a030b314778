"""Writes the pages that are made from code, or with --check tells which of them are stale.

python scripts/generate_docs.py [--check]
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "addons"), str(ROOT)]

from openai_gateway.api.errors import CATALOGUE  # noqa: E402 - after the path is set
from openai_gateway.config.describe import Row, rows  # noqa: E402 - after the path is set
from openai_gateway.config.schema import schema  # noqa: E402 - after the path is set
from openai_gateway.core.usage import Usage, disjoint  # noqa: E402 - after the path is set
from openai_gateway.telemetry import labels  # noqa: E402 - after the path is set
from openai_gateway.telemetry.families import (  # noqa: E402 - after the path is set
    PREFIX,
    Declared,
)
from openai_gateway.telemetry.metrics import Metrics, Versions  # noqa: E402 - after the path is set
from scripts.dashboard import dashboard  # noqa: E402 - after the path is set

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

_METRICS: Final = """\
# Metrics

{made}
`GET /metrics` on `metrics.listen` (127.0.0.1:9464), guarded by `metrics.token` and `metrics.tls`
where they are set. Each gateway process is a target of its own; add them up in the query.

```yaml
scrape_configs:
  - job_name: openai-gateway
    static_configs: [{{targets: ["127.0.0.1:9464"]}}]
```

Whole configurations (several processes, Kubernetes), recording rules and alerts are in
[deploy/prometheus](../deploy/prometheus/prometheus.yml); what to do about each alert is in
[runbook.md](runbook.md).

- **Times** are seconds, **money** is US dollars, both as floating point; the call log holds the
  exact numbers in whole nano-dollars. Counters begin at 0 when the process starts.
- **Exemplars**: to a scraper that asks for OpenMetrics, `requests_total` and every histogram also
  name the last call of each series or bucket as `call_id`: the `id` of its row in the call log.
- **Labels** never hold text that a client made up. Past `metrics.max_series` series (20,000) new
  ones get the model `other`, counted in `{prefix}label_overflows_total`.
- **Beside these** the client library's `process_*`, `python_gc_*` and `python_info` are exposed.

## Families

| name | type | labels | meaning |
|---|---|---|---|
{families}

## OpenTelemetry's names

With `metrics.gen_ai: true`, which acts at the start. The names, labels and buckets are those of the
GenAI semantic conventions (in development) in Prometheus' form, with three buckets above the
convention's. Calls that left for the upstream, of chat and responses (`chat`), embeddings
(`embeddings`) and completions (`text_completion`); on a WebSocket the tokens alone. A label that a
call has no value for is empty.

| name | type | labels | meaning |
|---|---|---|---|
{gen_ai}

## Values of the labels

| label | values |
|---|---|
| `key` | the name of a mapping of `keys.mappings`, else `unknown` |
| `endpoint` | a name of rules/endpoints.yaml, else `unknown` |
| `model` | a name of rules/prices.yaml, else `other`; `none` where the call names none |
| `outcome` | {outcomes} |
| `status` | three digits; `none` where the client left before there was an answer |
| `kind` | {kinds} |
| `unit` | `second`, `character`, `image`, `web_search`, `file_search`, `container`, \
`video_second` |
| `error` | `timeout`, `connect`, `tls`, `protocol`, `shutdown`, a known code of OpenAI's, or the \
status; else `other` |
| `stream` | `true`, `false` |
| `phase` | `request`, `response` |
| `reason` of key_rejections_total | {rejections} |
| `reason` of usage_missing_requests_total, `stage`, `result` | words of the gateway's own, \
64 at most |

## Buckets

The upper bounds; `+Inf` comes on top.

| name | buckets |
|---|---|
{buckets}

## Questions

```promql
# dollars in the last day, by key
sum by (key) (increase({prefix}cost_usd_total[1d]))
# tokens a minute, by model; the kinds are disjoint
sum by (model) (rate({prefix}tokens_total[5m])) * 60
# the share of input that came from the cache
sum(rate({prefix}tokens_total{{kind="cached_input"}}[1h]))
  / sum(rate({prefix}tokens_total{{kind=~"input|cached_input|cache_write"}}[1h]))
# calls that did not go the plain way, by what became of them
sum by (outcome) (rate({prefix}requests_total{{outcome!="forwarded"}}[5m]))
# what the gateway itself adds, at the 99th percentile
histogram_quantile(0.99,
  sum by (le, phase) (rate({prefix}overhead_seconds_bucket[5m])))
# the share of calls whose usage is not OpenAI's own word
sum(rate({prefix}usage_missing_requests_total[1h]))
  / sum(rate({prefix}requests_total[1h]))
```
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


def metrics() -> str:
    """docs/metrics.md, from the registry of a gateway that exposes all it can."""
    declared = Metrics(labels.Labels(), Versions("", "", ""), gen_ai=True).declared
    own = [family for family in declared if family.name.startswith(PREFIX)]
    return _METRICS.format(
        made=_MADE,
        prefix=PREFIX,
        families="\n".join(_family(family) for family in own),
        gen_ai="\n".join(_family(family) for family in declared if family not in own),
        outcomes=_listed(sorted(labels.OUTCOMES)),
        kinds=_listed(disjoint(Usage())),
        rejections=_listed(sorted(labels.REJECTIONS)),
        buckets="\n".join(_buckets(family) for family in declared if family.buckets),
    )


def _family(family: Declared) -> str:
    named = _listed(family.labels)
    return f"| `{family.name}` | {family.kind} | {named} | {_cell(family.words)} |"


def _buckets(family: Declared) -> str:
    return f"| `{family.name}` | {' '.join(f'{bound:.12g}' for bound in family.buckets)} |"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _schema() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/configuration.md": configuration,
    "docs/errors.md": errors,
    "docs/metrics.md": metrics,
    "schema/gateway.schema.json": _schema,
    "deploy/grafana/dashboards/openai-gateway.json": dashboard,
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
