"""What is found in OpenAI's answers (`leaks.responses`): reported from a copy while the bytes pass,
or redacted in them on their way to the client."""

from typing import Final, Literal, Protocol

from openai_gateway.core.call import Found
from openai_gateway.leaks.answers.answer_copy import Gathered
from openai_gateway.leaks.answers.answer_document import ANSWER, whole
from openai_gateway.leaks.answers.answer_hold import Hold
from openai_gateway.leaks.answers.answer_lookout import Lookout
from openai_gateway.leaks.answers.answer_redactor import EventRedactor
from openai_gateway.leaks.answers.answer_reporter import EventReporter
from openai_gateway.leaks.reading.ledger import Finding, Judge
from openai_gateway.leaks.reading.places import Detector

# Numbers, sound: no answer of these holds a text.
_WORDLESS: Final = frozenset({"embeddings.create", "audio.speech"})
_JSON: Final = ("json", "jsonl", "ndjson")
_TEXT: Final = ("xml", "yaml", "javascript", "x-subrip", "x-sh", "x-python", "csv", "toml")
_BINARY: Final = ("audio", "image", "video", "font")
_DONE: Final = {"report": "reported", "redact": "redacted"}
_SNIFFED: Final = 1024

type Kind = Literal["json", "text", "binary"]


class Reader(Protocol):
    """What one answer's bytes go through."""

    def feed(self, chunk: bytes) -> bytes: ...

    def end(self) -> bytes: ...

    def idle(self) -> bytes: ...

    def abort(self) -> None: ...


class AnswerScan:
    """The scan of one call's answer, which comes in pieces or, where it was held, whole.

    `findings`: each once, with "report" or "redact"; `over_budget`: something was dropped unread.
    """

    __slots__ = ("_content_type", "_ended", "_endpoint", "_event_stream", "_lookout", "_reader")

    def __init__(
        self, endpoint: str, detector: Detector, judge: Judge, mode: Literal["report", "redact"]
    ) -> None:
        self._endpoint = endpoint
        self._lookout = Lookout(detector, judge, mode)
        self._reader: Reader | None = None
        self._content_type = b""
        self._event_stream = False
        self._ended = False

    @property
    def findings(self) -> list[tuple[Finding, str]]:
        return self._lookout.findings

    @property
    def redacts(self) -> bool:
        """Whether what the client gets may be other than what came."""
        return self._lookout.redacts

    def found(self) -> list[Found]:
        """The same, for the row and the metrics."""
        return [Found(one.rule.id, _DONE[done], "answer") for one, done in self.findings]

    @property
    def over_budget(self) -> bool:
        return self._lookout.over_budget

    def begin(self, event_stream: bool, content_type: bytes) -> None:
        """The answer's head is here."""
        self._content_type = content_type
        self._event_stream = event_stream
        if event_stream:
            redacts = self._lookout.redacts
            self._reader = (EventRedactor if redacts else EventReporter)(self._lookout)

    def feed(self, chunk: bytes) -> bytes:
        """A piece of the answer; gives what the client gets now: to report, the chunk itself."""
        if self._ended:
            return b"" if self._lookout.redacts else chunk
        if self._reader is None:
            self._reader = self._body(chunk)
        return self._reader.feed(chunk)

    def end(self) -> bytes:
        """The answer's last byte is here; gives what was held back."""
        reader, self._ended = self._reader, True
        return reader.end() if reader else b""

    def whole(self, body: bytes) -> bytes:
        """An answer that was held until it was whole; gives it, redacted where it has to be."""
        if self._event_stream:
            return self.feed(body) + self.end()
        return body if self._kind(body) == "binary" else whole(body, self._lookout)

    def timed_out(self) -> bytes:
        """Nothing came for a while; gives what is held and cannot be the beginning of a secret."""
        return self._reader.idle() if self._reader and not self._ended else b""

    def abort(self) -> None:
        """The upstream broke off, or the client left: nothing that is held will leave."""
        if self._reader and not self._ended:
            self._reader.abort()
        self._ended = True

    def _body(self, first: bytes) -> Reader:
        kind = self._kind(first)
        if kind == "binary":
            return _Untouched()
        json = True if kind == "json" else None
        if self._lookout.redacts:
            return Hold(self._lookout, ANSWER, json=json, drops=False)
        return _Copied(Gathered(self._lookout, ANSWER, json=json))

    def _kind(self, first: bytes) -> Kind:
        """By its media type, or, where that says nothing, by its first bytes."""
        if self._endpoint in _WORDLESS:
            return "binary"
        media_type = self._content_type.partition(b";")[0].strip().lower().decode("latin-1")
        family, _, name = media_type.partition("/")
        name = name.rpartition("+")[2].removeprefix("x-")
        if name in _JSON:
            return "json"
        if family == "text" or name in _TEXT:
            return "text"
        return "binary" if family in _BINARY else _sniffed(first)


def _sniffed(first: bytes) -> Kind:
    sample = first[:_SNIFFED]
    if b"\0" in sample:
        return "binary"
    try:
        # a character at the very end may be cut
        sample[:-3].decode() if len(sample) > _SNIFFED - 1 else sample.decode()
    except UnicodeDecodeError:
        return "binary"
    return "json" if sample.lstrip()[:1] in (b"{", b"[") else "text"


class _Untouched:
    """Sound, pictures and the like."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def end(self) -> bytes:
        return b""

    def idle(self) -> bytes:
        return b""

    def abort(self) -> None:
        """Nothing is held."""


class _Copied(_Untouched):
    """A body that is read from a copy."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered

    def feed(self, chunk: bytes) -> bytes:
        self._gathered.feed(chunk)
        return chunk

    def end(self) -> bytes:
        self._gathered.end()
        return b""

    def abort(self) -> None:
        self._gathered.end()
