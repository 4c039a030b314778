"""`openai-gateway explain`: the way of one call: each stage, its tokens, its price line by line."""

import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click

from openai_gateway.cli.reading import WIDTH, as_json, config, cut, log, place, say, usd

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.core.money import Pico
    from openai_gateway.readiness.price import Priced
    from openai_gateway.readiness.rows import Row

_MILLION: Final = 1_000_000
_NEXT_TO_NOTHING: Final = 10**8  # pico-dollars: a hundredth of a cent
_INDENT: Final = {
    "cached_input_tokens": 1, "cache_write_tokens": 1, "audio_input_tokens": 1,
    "image_input_tokens": 1, "reasoning_tokens": 1, "audio_output_tokens": 1,
    "image_output_tokens": 1,
}  # fmt: skip
_TOKENS: Final = (
    *("input_tokens", "cached_input_tokens", "cache_write_tokens", "audio_input_tokens"),
    *("image_input_tokens", "output_tokens", "reasoning_tokens", "audio_output_tokens"),
    *("image_output_tokens", "total_tokens"),
)
EXAMPLES: Final = """\b
Examples:
  openai-gateway explain gw_019abc…
  openai-gateway explain gw_019abc… --json
"""


@click.command(epilog=EXAMPLES)
@click.argument("call_id", metavar="ID")
@click.option("--bodies", is_flag=True, help="Print the stored bodies too (log.bodies).")
@as_json
@config
def explain(call_id: str, bodies: bool, as_json: bool, config: str | None) -> None:
    """Tell one call: its stages with their verdicts and times, its tokens and its price.

    ID is what the answer's x-gateway-request-id said, and `calls` lists.
    """
    from openai_gateway.readiness import price, rows

    with log(config) as connection:
        row = rows.one(connection, call_id)
        if row is None:
            raise click.ClickException(
                "the log has no call with this id. A row comes when its call has ended; ids are in"
                " x-gateway-request-id and in `openai-gateway calls`"
            )
        here = place(config)
        priced = price.priced(row, here.root, here.prices)
        kept = rows.bodies(connection, call_id)
        if as_json:
            told = {**rows.as_json(row), "price": priced.as_json()}
            if bodies:
                told["bodies"] = kept
            click.echo(json.dumps(told, indent=2))
        else:
            _tell(row, priced)
            _bodies(kept, whole=bodies)


def _tell(row: "Row", priced: "Priced") -> None:
    say(row["id"], bold=True)
    for name, value in _facts(row):
        if value:
            say(f"  {name:<9} {cut(value, 68)}")
    _stages(row)
    _tokens(row)
    _price(row, priced)


def _facts(row: "Row") -> list[tuple[str, str]]:
    from openai_gateway.readiness.rows import iso

    models = ("requested", "sent", "response")
    named = [f"{name} {row[f'model_{name}']}" for name in models if row[f"model_{name}"]]
    return [
        ("began", iso(row["started_at"])),
        ("client", f"{row['client']}, key {row['key']}, {row['environment']}"),
        ("sdk", row["sdk"] or ""),
        ("call", f"{row['method']} {row['path']}"),
        ("endpoint", row["endpoint"] + (", stream" if row["stream"] else "")),
        ("model", ", ".join(named)),
        ("outcome", f"{row['outcome']}, status {row['status']}"),
        ("error", row["error_code"] or ""),
        ("leaks", row["leaks"] or ""),
        ("fault", row["fault"] or ""),
        ("time", _times(row)),
        ("bytes", f"{row['request_bytes']:,} sent, {row['response_bytes']:,} answered"),
        ("openai id", row["openai_request_id"] or ""),
    ]


def _times(row: "Row") -> str:
    parts = [f"{row['duration_ms']:,.1f} ms"]
    names = {"upstream_ms": "upstream", "ttft_ms": "first token", "overhead_ms": "gateway"}
    parts += [f"{word} {row[name]:,.1f}" for name, word in names.items() if row[name] is not None]
    if row["injected_ms"]:
        parts.append(f"held back {row['injected_ms']:,.1f}")
    return ", ".join(parts)


def _stages(row: "Row") -> None:
    from openai_gateway.readiness.rows import as_json

    trace = as_json(row)["trace"]
    if not isinstance(trace, list) or not trace:
        return
    say("")
    say(f"  {'stage':<20} {'verdict':<46} {'µs':>9}", bold=True)
    for step in trace:
        verdict = step["verdict"]
        text = f"  {cut(step['stage'], 20):<20} {cut(verdict, 46):<46} {step['us']:>9,}"
        say(text)


def _tokens(row: "Row") -> None:
    if row["input_tokens"] is None:
        return
    say("")
    say(f"  {'tokens, as OpenAI counts':<34} {row['usage_source']:>14}", bold=True)
    for name in _TOKENS:
        if row[name] or name == "total_tokens":
            word = "  " * _INDENT.get(name, 0) + name.removesuffix("_tokens").replace("_", " ")
            say(f"  {word:<34} {row[name] or 0:>14,}")


def _price(row: "Row", priced: "Priced") -> None:
    from openai_gateway.readiness.price import plain, usd_of

    say("")
    if priced.lines:
        say(f"  {'price':<22} {'quantity':>14} {'USD each':>18} {'USD':>19}", bold=True)
    one_model = len({line.model for line in priced.lines}) == 1
    for line in priced.lines:
        name = cut(line.kind if one_model else f"{line.kind} {line.model}", 22)
        each = cut(_each(line.pico_per_unit), 18)
        say(f"  {name:<22} {plain(line.quantity):>14} {each:>18} {usd_of(line.pico):>19}")
    if priced.lines and priced.nano_usd is not None:
        say(f"  {'sum, rounded once':<56} {usd(priced.nano_usd):>19}")
    say(f"  {'logged cost':<56} {usd(row['cost_nano_usd']):>19}", bold=True)
    for note in priced.notes:
        say(textwrap.fill(note, WIDTH, initial_indent="  - ", subsequent_indent="    "))


def _bodies(kept: "list[dict[str, Any]]", whole: bool) -> None:
    """What of them is printed could steer a terminal: each line is escaped."""
    from openai_gateway.core.scrub import escape

    for body in kept:
        say("")
        size = f"{body['size']:,} bytes{', cut' if body['cut'] else ''}"
        hint = "" if whole else "; --bodies prints it"
        kind = cut(body["content_type"], 24)
        say(f"  stored {body['side']}, {kind}, {size}{hint}", bold=True)
        for line in body["body"].split("\n") if whole else ():
            say(escape(line.rstrip("\r")))


def _each(pico: "Pico") -> str:
    """The price of one, or of a million where one costs next to nothing."""
    from openai_gateway.readiness.price import usd_of

    return f"{usd_of(pico * _MILLION)} /1M" if pico < _NEXT_TO_NOTHING else usd_of(pico)
