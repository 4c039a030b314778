"""Where a request names its model: there a substitute is written, and nowhere else."""

import asyncio
from inspect import isawaitable

import pytest

from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Changed, Pass, Refuse
from tests.unit.staging.rig import CHAT, LUNA, RESPONSES, SOL, Policy, asked, call, stage

LIVE, MINI = "gpt-realtime-2.1", "gpt-realtime-2.1-mini"
POLICY = Policy(substitute={SOL: LUNA, LIVE: MINI, "whisper-1": "gpt-transcribe"})
FORM = b"multipart/form-data; boundary=B"
PART = b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
SOUND = b"\x00\xff\r\n--A whisper-1"
HEARD = PART % (b"file", SOUND) + PART % (b"model", b"whisper-1") + b"--B--\r\n"


def socket(target: bytes = RESPONSES, sent: str | None = None) -> Call:
    made = call(b"", target, method="GET")
    made.model_requested, made.model_sent, made.websocket = sent and LIVE, sent, True
    return made


def test_the_part_model_is_replaced_and_no_other_byte() -> None:
    made = call(HEARD, b"/v1/audio/transcriptions", FORM)
    assert asked(POLICY, made) == Pass("substituted gpt-transcribe")
    assert made.request.body == HEARD.replace(b"\r\nwhisper-1\r\n", b"\r\ngpt-transcribe\r\n")
    assert made.content.data is made.request.body


@pytest.mark.parametrize(
    ("more", "note"),
    [
        (b"srt", "kept: parameter response_format"),
        (b"json", "substituted gpt-transcribe"),
    ],
)
def test_a_form_s_other_fields_are_looked_at(more: bytes, note: str) -> None:
    body = PART % (b"response_format", more) + HEARD
    made = call(body, b"/v1/audio/transcriptions", FORM)
    assert asked(POLICY, made) == Pass(note)


def test_the_query_s_model_is_replaced() -> None:
    made = call(b"", b"/v1/realtime?model=" + LIVE.encode(), method="GET")
    assert asked(POLICY, made) == Pass(f"substituted {MINI}")
    assert made.request.target == b"/v1/realtime?model=" + MINI.encode()
    assert (made.model_requested, made.model_sent, made.substituted) == (LIVE, MINI, True)


@pytest.mark.parametrize(
    ("query", "note"),
    [
        (b"?model=gpt-realtime-2.1&model=gpt-realtime-2.1", "kept: place"),
        (b"?model=gpt-realtime-2.1&m%6fdel=gpt-realtime", "kept: place"),
        (b"?model=gpt-realtime-2.1&intent=transcription", "kept: parameter not listed"),
    ],
)
def test_a_query_of_two_readings_keeps_its_model(query: bytes, note: str) -> None:
    made = call(b"", b"/v1/realtime" + query, method="GET")
    assert asked(POLICY, made) == Pass(note)
    assert made.request.target == b"/v1/realtime" + query


def test_a_minted_session_s_model_is_replaced_in_it() -> None:
    body = b'{"session": {"type":"realtime", "model": "gpt-realtime-2.1"}}'
    made = call(body, b"/v1/realtime/client_secrets")
    assert asked(POLICY, made) == Pass(f"substituted {MINI}")
    assert made.request.body == body.replace(LIVE.encode(), MINI.encode())


def test_a_model_at_another_place_than_the_endpoint_reads_is_left() -> None:
    body = b'{"model": "gpt-realtime-2.1", "session": {"model": "gpt-realtime-mini"}}'
    made = call(body, b"/v1/realtime/client_secrets")
    assert asked(POLICY, made) == Pass("kept: place")
    assert made.request.body == body


def test_reading_a_model_is_no_use_of_it() -> None:
    made = call(b"", b"/v1/models/gpt-6.1-sol", method="GET")
    assert asked(POLICY, made) == PASS
    assert made.request.target == b"/v1/models/gpt-6.1-sol"


def test_what_drift_compares_is_what_the_client_wrote() -> None:
    made = call({"model": "gpt-4o", "messages": [], "max_tokens": 7})
    asked(Policy(substitute={"gpt-4o": LUNA}), made)
    assert made.features is not None
    assert "max_tokens" in str(made.features)
    assert "reasoning_effort" not in str(made.features)


def test_a_long_body_is_looked_through_in_a_thread() -> None:
    made = call({"model": SOL, "messages": [{"role": "user", "content": "x" * 100_000}]})
    said = stage(POLICY).check(made)
    assert isawaitable(said)

    async def finish() -> object:
        return await said

    assert asyncio.run(finish()) == Pass(f"substituted {LUNA}")
    assert made.request.body.startswith(b'{"model":"gpt-6-luna",')


def test_many_signs_are_looked_through_in_a_thread_too() -> None:
    made = call({"model": SOL, "messages": [], "metadata": [[]] * 2000})
    said = stage(POLICY).check(made)
    assert isawaitable(said)
    said.close()  # type: ignore[attr-defined]


# ---- messages of a WebSocket ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "left"),
    [
        (b'{"type":"response.create", "model" : "gpt-6.1-sol"}',
         b'{"type":"response.create", "model" : "gpt-6-luna"}'),
        (b'{"type":"response.create","response":{"model":"gpt-6.1-sol","input":"hi"}}',
         b'{"type":"response.create","response":{"model":"gpt-6-luna","input":"hi"}}'),
        (b'{"type":"response.create","m\\u006fdel":"gpt-6.1-sol"}',
         b'{"type":"response.create","m\\u006fdel":"gpt-6-luna"}'),
    ],
)  # fmt: skip
def test_a_response_s_model_is_replaced(frame: bytes, left: bytes) -> None:
    made = socket()
    assert stage(POLICY).message(made, frame) == Changed(left)
    assert made.renamed == {LUNA: SOL}


def test_a_frame_that_the_substitute_cannot_do_goes_on_as_it_is() -> None:
    made = socket()
    frame = b'{"type":"response.create","model":"gpt-6.1-sol","prompt":{}}'
    assert stage(POLICY).message(made, frame) == PASS
    assert made.kept == [(SOL, "parameter")]
    assert (made.on_socket().kept, made.kept) == ([(SOL, "parameter")], [])


def test_a_session_that_runs_on_the_substitute_goes_on_with_it_whatever_it_asks() -> None:
    frame = b'{"type":"session.update","session":{"model":"gpt-realtime-2.1","odd":1}}'
    target = b"/v1/realtime"
    running = socket(target, MINI)
    assert stage(POLICY).message(running, frame) == Changed(
        frame.replace(LIVE.encode(), MINI.encode())
    )
    assert stage(POLICY).message(socket(target, LIVE), frame) == PASS


def test_the_seam_between_messages_is_never_changed() -> None:
    frame = b'{"type":"response.create","model":"gpt-6.1-sol"}'
    assert stage(POLICY).message(socket(), frame, whole=False) == PASS


def test_observe_changes_no_frame() -> None:
    made = socket()
    frame = b'{"type":"response.create","model":"gpt-6.1-sol"}'
    policy = Policy(mode="observe", substitute=POLICY.substitute)
    assert stage(policy).message(made, frame) == PASS
    assert (made.would, made.renamed) == (["substituted"], {})


def test_a_denied_substitute_is_refused_in_a_frame_and_in_a_call() -> None:
    policy = Policy(deny=(LUNA,), substitute=POLICY.substitute)
    frame = b'{"type":"response.create","model":"gpt-6.1-sol"}'
    assert isinstance(stage(policy).message(socket(), frame), Refuse)
    assert isinstance(asked(policy, call({"model": SOL, "messages": []}, CHAT)), Refuse)


def test_a_denied_model_that_is_replaced_passes() -> None:
    policy = Policy(deny=(SOL,), substitute=POLICY.substitute)
    assert asked(policy, call({"model": SOL, "messages": []})) == Pass(f"substituted {LUNA}")
    assert isinstance(asked(policy, call({"model": SOL, "messages": [], "n": 1})), Refuse)


def test_the_model_of_a_response_on_a_socket_is_known_by_both_its_names() -> None:
    made = socket()
    made.renamed[LUNA] = SOL
    response = made.beside()
    response.name_model(made, LUNA)
    assert (response.model_requested, response.model_sent) == (SOL, LUNA)
    other = made.beside()
    other.name_model(socket(b"/v1/realtime", MINI), None)
    assert (other.model_requested, other.model_sent) == (LIVE, MINI)
