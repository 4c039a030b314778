"""What a realtime, live or translation session says of itself, and bills beside its responses:
transcriptions at their own model's price, and sound by its length."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from openai_gateway.api.tokens import PCM_BYTES
from openai_gateway.api.usage_deltas import inner, name_of
from openai_gateway.api.usage_reading import Parsed, Reader
from openai_gateway.api.usage_tokens import heard, tokens
from openai_gateway.api.usage_units import seconds
from openai_gateway.core.usage import Usage

type Object = Mapping[str, object]


class Session:
    """One session of a socket."""

    __slots__ = ("_bytes", "_lived", "_read", "_transcriber", "id", "model")

    def __init__(self, model: str | None = None) -> None:
        self.model = model
        self.id: str | None = None
        self._transcriber: str | None = None
        self._lived: Usage | None = None
        self._bytes = 0
        self._read = Reader()

    def know(self, session: Object) -> None:
        """Its object, of either side: its id, its model, the model that transcribes."""
        self.id = name_of(session, "id") or self.id
        self.model = name_of(session, "model") or self.model
        hearing = inner(inner(inner(session, "audio"), "input"), "transcription")
        old = inner(session, "input_audio_transcription")
        named = name_of(hearing, "model") or name_of(old, "model")
        self._transcriber = named or self._transcriber

    def transcribed(self, event: Object) -> Parsed:
        """The bill of a transcription, by tokens or by seconds."""
        read, told = Reader(), inner(event, "usage")
        timed = told.get("type") == "duration"
        usage = seconds(told, read) if timed else heard(tokens(told, read), told)
        return Parsed(
            usage=usage and replace(usage, model=self._transcriber),
            anomalies=read.anomalies,
            charge_id=name_of(event, "item_id"),
        )

    def lived(self, told: Object) -> None:
        """The seconds so far. They grow: a smaller number is an old one."""
        usage = seconds(told, self._read)
        before = self._lived.units["second"] if self._lived else 0
        if usage and usage.units["second"] >= before:
            self._lived = usage

    def listened(self, sound: object) -> None:
        """A piece of sound in base64 that was sent to be translated."""
        self._bytes += len(sound) * 3 // 4 if isinstance(sound, str) else 0

    def end(self) -> Parsed | None:
        """The bill of its length, once. Translations tell no usage: what was sent is counted, as
        PCM of 24 kHz."""
        lived, sent = self._lived, self._bytes
        self._lived, self._bytes = None, 0
        if lived:
            usage = replace(lived, model=self.model)
            odd = self._read.anomalies
            return Parsed(usage=usage, anomalies=odd, charge_id=self.id, cumulative=True)
        if not sent:
            return None
        length = Decimal(sent) / PCM_BYTES
        usage = Usage(units={"second": length}, model=self.model, source="estimated")
        return Parsed(usage=usage, charge_id=self.id, guessed=True)
