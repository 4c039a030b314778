"""What came back: an answer as it was read, whole or not, with the time of each piece."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

type End = Literal["open", "complete", "eof", "reset", "stream_reset", "timeout"]


@dataclass(slots=True)
class Reply:
    """One answer. `end` tells how it ended; only `complete` is an answer that may be believed."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray, repr=False)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    informational: list[int] = field(default_factory=list)
    pieces: list[tuple[float, bytes]] = field(default_factory=list, repr=False)
    end: End = "open"

    def took(self, piece: bytes) -> None:
        self.pieces.append((time.monotonic(), piece))
        self.body += piece

    @property
    def complete(self) -> bool:
        return self.end == "complete"

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def first(self, name: str, default: str = "") -> str:
        return next(iter(self.values(name)), default)

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str | None:
        """The code of OpenAI's envelope; the test fails where the body is no such envelope."""
        error = self.json()["error"]
        assert set(error) >= {"message", "type", "param", "code"}, error
        code = error["code"]
        assert code is None or isinstance(code, str)
        return code
