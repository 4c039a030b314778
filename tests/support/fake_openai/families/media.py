"""Images, speech and transcription: base64, binary, text, multipart in, streams of their own."""

import base64
from collections.abc import Iterator
from typing import Any

from tests.support.fake_openai.answers import Answer, event, stream
from tests.support.fake_openai.asking import Asking, now, tokens

type Object = dict[str, Any]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\nFAKE" + bytes(range(256))).decode()
SOUND = b"ID3\x04FAKE" + bytes(range(256)) * 256
KINDS = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg", "pcm": "audio/pcm"}
WORDS = "The fake heard you."


def _image_usage() -> Object:
    details = {"text_tokens": 50, "image_tokens": 0}
    return {
        "input_tokens": 50,
        "input_tokens_details": details,
        "output_tokens": 1056,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 1056},
        "total_tokens": 1106,
    }


def images(ask: Asking) -> Answer:
    """POST /v1/images/generations, edits and variations."""
    kind = "image_edit" if ask.request.path.endswith("edits") else "image_generation"
    form = ask.form
    if "stream" in form and form["stream"].data.lower() == b"true":
        return stream(_partial(ask, kind))
    count = int(ask.field("n", "1"))
    data = [{"b64_json": PIXEL} for _ in range(count)]
    return ask.answer({"created": now(), "data": data, "usage": _image_usage()})


def _partial(ask: Asking, kind: str) -> Iterator[bytes]:
    """Partial images, then the whole one with a usage that has no details of the output."""
    common: Object = {"b64_json": PIXEL, "created_at": now(), "size": "1024x1024"}
    common |= {"quality": "low", "background": "opaque", "output_format": "png"}
    for number in range(int(ask.field("partial_images", "1"))):
        name = f"{kind}.partial_image"
        yield event({"type": name, **common, "partial_image_index": number}, name)
    usage = {name: n for name, n in _image_usage().items() if name != "output_tokens_details"}
    name = f"{kind}.completed"
    yield event(ask.patched({"type": name, **common, "usage": usage}), name)


def speech(ask: Asking) -> Answer:
    """POST /v1/audio/speech: bytes in pieces, or events whose last one carries the usage."""
    _ = ask.model
    if ask.json.get("stream_format") == "sse":
        return stream(_speech_events(ask))
    kind = KINDS.get(str(ask.json.get("response_format", "mp3")), "audio/mpeg")
    pieces = [SOUND[at : at + 8192] for at in range(0, len(SOUND), 8192)]
    return Answer(200, kind, pieces=pieces)


def _speech_events(ask: Asking) -> Iterator[bytes]:
    for at in range(0, 4096, 1024):
        audio = base64.b64encode(SOUND[at : at + 1024]).decode()
        yield event({"type": "speech.audio.delta", "audio": audio})
    asked = tokens(ask.json.get("input"))
    usage = {"input_tokens": asked, "output_tokens": 101, "total_tokens": asked + 101}
    yield event(ask.patched({"type": "speech.audio.done", "usage": usage}))


def _heard_usage() -> Object:
    return {
        "type": "tokens",
        "input_tokens": 140,
        "input_token_details": {"audio_tokens": 126, "text_tokens": 14},
        "output_tokens": 45,
        "total_tokens": 185,
    }


def transcribe(ask: Asking) -> Answer:
    """POST /v1/audio/transcriptions and translations."""
    words = WORDS if ask.knob.text is None else ask.knob.text
    shape = ask.field("response_format", "json")
    if ask.field("stream").lower() == "true":
        return stream(_heard(ask, words))
    if shape in ("text", "srt", "vtt"):
        return Answer(200, "text/plain; charset=utf-8", f"{words}\n".encode())
    timed = ask.field("model") in ("whisper-1", "gpt-transcribe")
    usage: Object = {"type": "duration", "seconds": 9} if timed else _heard_usage()
    if shape == "verbose_json":
        segments: list[Object] = []
        more: Object = {"task": "transcribe", "language": "english", "duration": 9.0}
        return ask.answer({**more, "text": words, "segments": segments, "usage": usage})
    return ask.answer({"text": words, "usage": usage})


def _heard(ask: Asking, words: str) -> Iterator[bytes]:
    for word in words.split(" "):
        yield event({"type": "transcript.text.delta", "delta": f"{word} "})
    done = {"type": "transcript.text.done", "text": words, "usage": _heard_usage()}
    yield event(ask.patched(done))


ROUTES = {
    ("POST", "/v1/images/generations"): images,
    ("POST", "/v1/images/edits"): images,
    ("POST", "/v1/images/variations"): images,
    ("POST", "/v1/audio/speech"): speech,
    ("POST", "/v1/audio/transcriptions"): transcribe,
    ("POST", "/v1/audio/translations"): transcribe,
}
