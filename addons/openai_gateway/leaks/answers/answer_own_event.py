"""An event of ours with the rest of a text that is over: as the last one of that text looked, with
nothing in it that a reader would add up twice (ids, names, roles, usage, obfuscation)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from openai_gateway.leaks.answers.answer_splice import Path
from openai_gateway.leaks.answers.answer_told import Piece

type Object = Mapping[str, object]

_LONGEST: Final = 256
_LEFT_OUT: Final = frozenset({"usage", "obfuscation", "logprobs", "delta", "choices", "error"})
_KEPT: Final = ("index", "type")
_NUMBER: Final = "sequence_number"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an event of one text is made from."""

    start: bytes  # the lines before its data
    head: dict[str, object]
    path: Path
    inner: tuple[dict[str, object], ...]  # of each list on the path: what its item says of itself
    odds: str | None  # log probabilities as `list` or by the name of their list

    def event(self, text: bytes, odds: bytes, number: object) -> bytes:
        """The event's bytes."""
        value: dict[str, object] = {**self.head, **self._nested(text.decode("utf-8", "replace"))}
        if isinstance(number, int) and _NUMBER in value:
            value[_NUMBER] = number
        if self.odds is not None:
            listed = orjson.Fragment(b"[%b]" % odds)
            self._place(value, listed)
        return b"%bdata: %b\n\n" % (self.start, orjson.dumps(value))

    def _nested(self, text: str) -> dict[str, object]:
        value: object = text
        items = list(self.inner)
        for at in range(len(self.path) - 1, -1, -1):
            step = self.path[at]
            if isinstance(step, int):
                held = value if isinstance(value, dict) else {}
                value = [{**items.pop(), **held}]
            else:
                value = {step: value}
        return value if isinstance(value, dict) else {}

    def _place(self, value: dict[str, object], listed: orjson.Fragment) -> None:
        if self.odds == "":
            value["logprobs"] = listed
            return
        choices = value.get("choices")
        choice = choices[0] if isinstance(choices, list) else None
        if isinstance(choice, dict):
            choice["logprobs"] = {self.odds: listed}


def pattern(value: Object, piece: Piece, name: str | None) -> Pattern:
    """What an event with the rest of this piece's text is made from: its small values."""
    head = {key: held for key, held in value.items() if key not in _LEFT_OUT and is_small(held)}
    odds = None
    if piece.path[0] == "choices":
        odds = str(piece.odds[-1]) if piece.odds and piece.odds[-1] != "logprobs" else None
    elif "logprobs" in value:
        odds = ""
    start = b"event: %b\n" % name.encode() if name else b""
    return Pattern(start, head, piece.path, tuple(_items(value, piece.path)), odds)


def is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return value is None or isinstance(value, int | float)


def _items(value: object, path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for depth, step in enumerate(path):
        value = value[step] if isinstance(value, dict | list) else None  # type: ignore[index]
        if isinstance(step, int) and isinstance(value, dict):
            kept = {key: value[key] for key in _KEPT if is_small(value.get(key)) and key in value}
            if depth == 1 and path[0] == "choices":
                kept |= {"logprobs": None, "finish_reason": None}
            found.append(kept)
    return found
