"""Each decoder is switched off in turn, and the corpus notices: some secret is then missed, or
can no longer be redacted where it stands.

A decoder without which nothing is missed is not tested, or not needed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Final, Literal

import pytest

from openai_gateway.content.body import read as read_content
from openai_gateway.core.call import Content
from openai_gateway.core.clock import SystemClock
from tests.leaks.case import Case, Group
from tests.leaks.corpus import EACH, PLACED, SEED, placed
from tests.leaks.draw import seeded
from tests.leaks.subject import RULES, call_of, detector_of

pytest.importorskip("openai_gateway.leaks.reading.read", reason="the reader is not built yet")
pytest.importorskip("openai_gateway.leaks.rules.rule_set", reason="the rules are not built yet")
if not (RULES / "secrets.yaml").exists():
    pytest.skip("the rules are not written yet", allow_module_level=True)

LIMIT: Final = 64 * 1024 * 1024
# So many cases of each family are tried.
TRIED: Final = 4

type Off = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Switch:
    """One decoder: the module and name of it, what stands there when it is off, whom it is for.

    Modules that took the name over are changed too; `*` is whichever module has it.
    """

    name: str
    at: str
    off: Off
    families: tuple[str, ...]
    # What is lost without it: whether it is found, or only that it can be redacted.
    loses: Literal["find", "redaction"] = "find"


def nothing(_: Any) -> Off:
    """Nothing is undone."""
    return lambda *_, **__: None


def empty(_: Any) -> Off:
    """Nothing is found in it."""
    return lambda *_, **__: ()


def never(_: Any) -> Off:
    return lambda *_, **__: False


def without(sign: Any) -> Off:
    """A table without the row of this sign."""
    return lambda rows: tuple(row for row in rows if row[0] != sign)


def codec(name: str) -> Off:
    """Runs of one codec are not looked at."""

    def off(real: Any) -> Any:
        skipped = getattr(module("run_layer"), name)
        return lambda text, kind: () if kind is skipped else real(text, kind)

    return off


def view(kind: str) -> Off:
    """One of the odd views is not given, nor what was coded again within it."""

    def off(real: Any) -> Any:
        def views(*args: Any) -> Iterator[tuple[str, bytes]]:
            return (pair for pair in real(*args) if not pair[0].startswith(kind))

        return views

    return off


def escape(sign: bytes, *families: str) -> Switch:
    return Switch(f"escapes with {sign!r}", "escape_layer.TRIGGERS", without(sign), families)


def odd(kind: str, *families: str) -> Switch:
    return Switch(f"view: {kind}", "readings.odd_views", view(kind), families)


SWITCHES: Final = (
    escape(b"\\", "\\x escapes", "\\u escapes as text", "JSON \\u, twice"),
    escape(b"%", "percent, all", "percent, twice", "percent, three times", "percent, some"),
    escape(b"&", "HTML, decimal", "HTML, hex", "HTML, named"),
    Switch("disguises", "disguise_layer.undisguised", nothing, ("zero width, all", "fullwidth")),
    Switch("base64", "base_layer.coded", codec("BASE64"), ("base64", "base64, value alone")),
    Switch("hex", "base_layer.coded", codec("HEX"), ("hex", "hex, upper case", "hex, value alone")),
    Switch("UTF-16", "wide_layer.widened", nothing, ("UTF-16 file, little",), "redaction"),
    Switch("zlib", "sniff.inflated_texts", empty, ("zlib in base64",)),
    Switch("files", "files.texts_of", empty, ("zip", "docx", "pdf, Flate", "png, zTXt")),
    Switch("PNG", "files.MARKED", without(b"\x89PNG\r\n\x1a\n"), ("png, zTXt", "png, iTXt packed")),
    Switch("gz", "files.MARKED", without(b"\x1f\x8b\x08"), ("gz", "tar.gz", "gzip in base64")),
    Switch("zip", "archives.is_zip", never, ("zip", "zip, last of 60", "zip in zip")),
    Switch("PDF", "pdf.is_pdf", never, ("pdf, Flate", "pdf, octal escapes")),
    Switch(
        "office documents",
        "office.office_texts",
        lambda _: lambda members, _: members,
        ("docx, runs",),
    ),
    Switch("neighbours", "neighbours.Beside.document", nothing, ("two content parts",)),
    Switch("parts' heads", "*._in_head", lambda _: lambda *_: [], ("file name",)),
    Switch(
        "quoted-printable parts",
        "escape_layer.quoted_printable",
        lambda _: lambda text, _: module("char_map").CharMap(text, ()),
        ("quoted-printable by transfer-encoding",),
        "redaction",
    ),
    odd("squeezed", "pieces in brackets", "pieces in a table"),
    odd("reversed", "reversed"),
    odd("ROT13", "ROT13"),
    odd("joined", "literals with plus", "literals side by side", "list of pieces"),
    odd("unwrapped", "broken lines", "broken lines, indented"),
    odd("spaced", "blanks between letters", "hyphens between letters"),
    odd("quoted-printable", "quoted-printable, all", "quoted-printable, lines"),
    odd("marks", "marked letters"),
    odd("codes", "hex with blanks", "decimal codes", "binary codes", "octal codes", "xxd"),
    odd("base32", "base32", "base32, lines of 64"),
    Switch("codes of base64", "readings.nested", empty, ("base32 of base64",)),
)


def cases(families: Sequence[str]) -> Iterator[Case]:
    for group in PLACED:
        for family in families:
            if family in PLACED[group]:
                yield from of_family(group, family)


def of_family(group: Group, family: str) -> Iterator[Case]:
    make = placed(group, family, PLACED[group][family])
    for number in range(max(TRIED, EACH[group])):
        name = f"{group}/{family}/{number}"
        yield make(name, seeded(SEED, name))


def done_with(case: Case, wanted: str) -> set[str]:
    """What the reader itself, without the stage around it, does with what it finds."""
    body = case.sent.body
    headers = case.sent.all_headers()
    content = Content(body) if case.sent.method == "WS" else read_content(headers, body, LIMIT)
    budget = module("budget").budget_for(len(body), SystemClock())
    reading = module("read")
    heads = module("read_head")
    media, request = case.sent.content_type.encode(), call_of(case.sent).request
    found = reading.read_body(content, media, detector_of(), lambda _: wanted, budget)
    head = heads.read_head(request, detector_of(), lambda _: wanted, budget)
    return {action for _, action in (*found.findings, *head.findings)}


def is_well(case: Case, switch: Switch) -> bool:
    """Whether the case is dealt with as it should be with the decoder on."""
    if switch.loses == "find":
        return bool(done_with(case, "report"))
    return done_with(case, "redact") == {"redact"}


def modules() -> list[Any]:
    package = import_module("openai_gateway.leaks")
    found = walk_packages(package.__path__, "openai_gateway.leaks.")
    return [import_module(one.name) for one in found]


def module(name: str) -> Any:
    """A module of leaks/, by its last name."""
    return next(one for one in modules() if one.__name__.rpartition(".")[2] == name)


def switch_off(switch: Switch, patch: pytest.MonkeyPatch) -> None:
    home, *owners, name = switch.at.split(".")
    places = modules()
    if home != "*":
        owner = module(home)
        places = [getattr(owner, owners[0])] if owners else [owner, *places]
    real = next(getattr(place, name) for place in places if hasattr(place, name))
    off = switch.off(real)
    for place in places:
        if getattr(place, name, None) is real:
            patch.setattr(place, name, off)


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_without_it_a_secret_is_missed(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [case for case in cases(switch.families) if is_well(case, switch)]
    assert before, "nothing is found with it either"
    switch_off(switch, monkeypatch)
    assert not all(is_well(case, switch) for case in before), "nothing is lost without it"


def test_every_view_has_a_switch() -> None:
    hinted = module("readings").HINTED
    switched = {switch.name.removeprefix("view: ") for switch in SWITCHES}
    assert {kind for kind, *_ in hinted} <= switched
