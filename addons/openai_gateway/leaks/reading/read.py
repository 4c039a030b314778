"""Reads one whole thing (a body, a frame, a file, a text) for secrets, and redacts it in place.

Whatever was redacted is read once more: what is still found there, or where the thing lost its
shape, turns the redaction into a refusal, so that one leaves no trace and breaks nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from openai_gateway.content import multipart
from openai_gateway.core.call import Content
from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.edits import Cut, Edit, redacted
from openai_gateway.leaks.reading.escape_layer import quoted_printable
from openai_gateway.leaks.reading.form_layer import fields, quoted
from openai_gateway.leaks.reading.json_layer import is_document, is_json, is_lines
from openai_gateway.leaks.reading.ledger import Done, Finding, Judge, Ledger
from openai_gateway.leaks.reading.parts_layer import Placed, in_head, is_multipart, placed
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.reading.walk import Walk

__all__ = ["Done", "Edit", "Finding", "Judge", "Reading", "read_body", "read_text"]

type Reader = Callable[[Walk, bytes], list[Cut]]
type Shape = Callable[[bytes], bool]

BODY = "the body"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in one thing, and what is done: a redaction that cannot be is a block.

    `over_budget`: something was not looked at. `data`: the thing without what was redacted, the
    same object where nothing was.
    """

    findings: list[tuple[Finding, Done]]
    over_budget: bool
    data: bytes = field(repr=False)


def read_body(
    content: Content, content_type: bytes, detector: Detector, judge: Judge, budget: Budget
) -> Reading:
    """A body without its content-coding, by its kind. Never raises for what a client sends."""
    reader: Reader = _text_reader(BODY, bare=True)
    shape: Shape = _anything
    if content.kind == "json" and content.fault is None:
        reader, shape = _read_json, is_json
    elif content.kind == "multipart" and is_multipart(content.data, content_type):
        reader = partial(_read_parts, content_type)
        shape = partial(_is_multipart, content_type)
    elif content.kind == "form":
        reader = _read_form
    return whole(content.data, reader, shape, Ledger(judge, "body"), detector, budget)


def read_text(
    data: bytes, place: str, location: str, detector: Detector, judge: Judge, budget: Budget
) -> Reading:
    """Any text or file; of JSON and JSONL the places have their paths behind `place`."""
    shape: Shape = is_json if is_document(data) else is_lines if is_lines(data) else _anything
    reader = _text_reader(place, bare=False)
    return whole(data, reader, shape, Ledger(judge, location), detector, budget)


def whole(
    data: bytes, reader: Reader, shape: Shape, ledger: Ledger, detector: Detector, budget: Budget
) -> Reading:
    """One thing, read; and if it was redacted, read again."""
    again = replace(budget)
    result = redacted(data, reader(Walk(detector, ledger, budget), data))
    if result is not data and not ledger.blocked:
        if shape(result):
            reader(Walk(detector, ledger, again, writable=False, beside=False), result)
        else:
            ledger.block_all()
        budget.over |= again.over
    return Reading(ledger.entries(), budget.over, result)


def _anything(_: bytes) -> bool:
    return True


def _is_multipart(content_type: bytes, data: bytes) -> bool:
    return is_multipart(data, content_type)


def _read_json(walk: Walk, data: bytes) -> list[Cut]:
    walk.budget.unit(len(data))
    return walk.document(data, BODY, bare=True)


def _text_reader(label: str, *, bare: bool) -> Reader:
    return lambda walk, data: walk.unit(data, label, bare=bare)


def _read_form(walk: Walk, data: bytes) -> list[Cut]:
    return read_fields(walk, data, 'form field "{}"', "a form field's name")


def read_fields(walk: Walk, form: bytes, value_in: str, name_in: str) -> list[Cut]:
    """A form or a query, name by name and value by value; `value_in` has a gap for the name."""
    cuts: list[Cut] = []
    for one in fields(form):
        text = one.map.text
        shown = walk.names.shown(one.name.decode("utf-8", "replace"))
        label = name_in if one.is_name else value_in.format(shown)
        inner = walk.unit(text, label, before=b"" if one.is_name else one.name + b"=")
        cuts += shifted(one.map.back(inner, quoted), one.start)
    return cuts


def shifted(cuts: list[Cut], by: int) -> list[Cut]:
    return [replace(cut, start=cut.start + by, end=cut.end + by) for cut in cuts]


def _read_parts(content_type: bytes, walk: Walk, data: bytes) -> list[Cut]:
    try:
        parts = list(placed(data, content_type))
    except multipart.Malformed:
        return walk.unit(data, BODY, bare=True)
    cuts: list[Cut] = []
    for part in parts:
        label = _part_label(walk, part)
        cuts += shifted(_in_head(walk, part, label), part.head)
        cuts += shifted(_in_data(walk, part, label), part.data)
    return cuts


def _part_label(walk: Walk, part: Placed) -> str:
    filename = part.part.filename
    if filename is not None:
        return f'multipart part file "{walk.names.shown(filename)}"'
    return f'multipart part "{walk.names.shown(part.part.name)}"'


def _in_head(walk: Walk, part: Placed, label: str) -> list[Cut]:
    cuts: list[Cut] = []
    for cut in walk.unit(part.part.head, f"the head of {label}"):
        fitting = in_head(part.part.head, cut)
        if fitting is None:
            walk.ledger.block(cut.found)
        else:
            cuts.append(fitting)
    return cuts


def _in_data(walk: Walk, part: Placed, label: str) -> list[Cut]:
    data = part.part.data
    if part.header(b"content-transfer-encoding") != b"quoted-printable":
        return walk.unit(data, label)
    mail = quoted_printable(data, walk.budget)
    return mail.back(walk.unit(mail.text, label))
