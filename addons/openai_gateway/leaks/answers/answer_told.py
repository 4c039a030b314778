"""What an event of a streamed answer tells of its texts: which it goes on with, which are over."""

from dataclasses import dataclass
from typing import Final

from openai_gateway.leaks.answers.answer_splice import Path

# What an item of responses is known by, with its parts.
ITEM: Final = ("item_id", "output_index", "content_index", "summary_index", "command_index")


@dataclass(frozen=True, slots=True)
class Key:
    """One stream of text: what kind it is, and which of them."""

    kind: str
    fields: tuple[int | str | None, ...] = ()

    @property
    def place(self) -> str:
        """As people write it: `choices[0].delta.content`, `output[1].function_call_arguments`."""
        if self.kind == "choices":
            index, *rest = self.fields
            return f"choices[{index}].{'.'.join(map(str, rest))}"
        if len(self.fields) < len(ITEM) or self.fields[1] is None:
            return self.kind
        part = "" if self.fields[2] is None else f".content[{self.fields[2]}]"
        return f"output[{self.fields[1]}]{part}.{self.kind.rpartition('.')[2]}"


@dataclass(frozen=True, slots=True)
class End:
    """Which texts are over: all whose kind and first fields are these; None fits any."""

    kind: str | None = None
    fields: tuple[int | str | None, ...] = ()

    def of(self, key: Key) -> bool:
        if self.kind not in (None, key.kind):
            return False
        pairs = zip(self.fields, key.fields, strict=False)
        return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text in an event. `odds`: the path of its log probabilities."""

    key: Key
    path: Path
    text: str
    odds: Path | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one event tells. `broken`: the answer has failed. `media`: nothing else in it is text.
    `odd`: it has log probabilities of a text that it has not. `more`: it has other texts too."""

    pieces: tuple[Piece, ...] = ()
    ends: tuple[End, ...] = ()
    broken: bool = False
    media: bool = False
    odd: bool = False
    more: bool = False


NOTHING: Final = Told()
EVERYTHING: Final = Told(ends=(End(),))
