"""Each layer writes out what is coded, and knows where in the coded text each character stands."""

import base64
import hashlib
import json
import tracemalloc
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.reading import (
    base_layer,
    disguise_layer,
    escape_layer,
    form_layer,
    neighbours,
)
from openai_gateway.leaks.reading.base_layer import coded
from openai_gateway.leaks.reading.char_map import CharMap
from openai_gateway.leaks.reading.edits import Cut, Edit, applied, masked, redacted
from openai_gateway.leaks.reading.escape_layer import escapes, quoted_printable
from openai_gateway.leaks.reading.json_layer import (
    flatten,
    is_document,
    is_lines,
    unescaped,
    written,
)
from openai_gateway.leaks.reading.run_layer import BASE64, HEX
from openai_gateway.leaks.reading.sniff import is_binary
from openai_gateway.leaks.reading.structure import Structure
from openai_gateway.leaks.reading.wide_layer import widened
from tests.support.planted import ample

TEXT = b"The quick brown fox jumps over it. "


def only(plain: CharMap | None) -> CharMap:
    assert plain is not None
    return plain


def cut(start: int, end: int, new: bytes = b"<>") -> Cut:
    return Cut(start, end, new, new)


# Edits


def test_of_two_that_overlap_the_longer_wins_and_the_rest_of_the_other_goes_too() -> None:
    assert redacted(b"0123456789", [cut(1, 6, b"long"), cut(5, 8, b"short")]) == b"0long89"
    assert redacted(b"0123456789", [cut(1, 8, b"outer"), cut(3, 5, b"inner")]) == b"0outer89"


def test_a_mark_wins_over_a_code_that_is_written_again() -> None:
    again = Cut(2, 9, b"code", b"code", again=True)
    assert redacted(b"0123456789", [again, cut(0, 4, b"mark")]) == b"mark9"


def test_what_may_stay_is_only_masked() -> None:
    cuts = [Cut(0, 2, None, b"m"), cut(4, 6)]
    assert redacted(b"01234567", cuts) == b"0123<>67"
    assert masked(b"01234567", cuts) == b"m23<>67"


def test_a_text_without_redactions_stays_the_same_object() -> None:
    text = b"0123"
    assert redacted(text, [Cut(0, 2, None, b"m")]) is text


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20))))
def test_what_no_cut_covers_stays(text: bytes, ranges: list[tuple[int, int]]) -> None:
    cuts = [cut(start, min(start + size, len(text)), b"") for start, size in ranges
            if start < len(text)]  # fmt: skip
    covered = {at for one in cuts for at in range(one.start, one.end)}
    assert redacted(text, cuts) == bytes(c for at, c in enumerate(text) if at not in covered)


# Escapes


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (rb"a\u0073k", b"ask"),
        (rb"a\\\\u0073k", b"ask"),
        (rb"\ud83d\ude00!", "😀!".encode()),
        (rb"\u{73}\U00000073\x73\163", b"ssss"),
        (rb"a\nb\"c\/d", b'a\nb"c/d'),
        (b"%73%6b-%u0073", b"sk-s"),
        (b"&#115;&#x6b;&lowbar;&nosuch;", b"sk_&nosuch;"),
        (rb"%73\u006b&#45;", b"sk-"),
    ],
)
def test_escapes_are_undone(text: bytes, plain: bytes) -> None:
    assert only(escapes(text, ample())).text == plain


@pytest.mark.parametrize("text", [b"plain", rb"C:\dir \d \u12 \x1", b"100% of it", b"a & b; c"])
def test_a_text_without_escapes_has_nothing_to_undo(text: bytes) -> None:
    assert escapes(text, ample()) is None


def test_quoted_printable_is_written_out() -> None:
    assert quoted_printable(b"a=3Db=\r\nc", ample()).text == b"a=bc"


def test_what_there_is_no_time_for_stays_and_is_said() -> None:
    budget = ample()
    budget.deadline = 0.0
    plain = only(escapes(b"%41 " * 5000, budget))
    assert plain.text.count(b"%41") == 5000 - escape_layer.MANY
    assert budget.over


# One character in several ways: its codes, and what it means.
CODES = st.sampled_from(
    [(b"a", b"a"), (b"0", b"0"), (b" ", b" "), (b"%41", b"A"), (b"%e2%82%ac", "€".encode()),
     (rb"\u0073", b"s"), (rb"\u20ac", "€".encode()), (rb"\ud83d\ude00", "😀".encode()),
     (rb"\x41", b"A"), (b"&#115;", b"s"), (b"&amp;", b"&"), (rb"\n", b"\n")]
)  # fmt: skip


@given(st.lists(CODES, min_size=1, max_size=30), st.data())
def test_every_stretch_of_characters_is_found_again(
    codes: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(codes) - 1))
    last = data.draw(st.integers(first, len(codes) - 1))
    text = b"".join(code for code, _ in codes)
    plain = escapes(text, ample()) or CharMap(text, [])
    assert plain.text == b"".join(meant for _, meant in codes)
    start, end = (sum(len(meant) for _, meant in codes[:at]) for at in (first, last + 1))
    [placed] = plain.back([cut(start, end)])
    before = b"".join(code for code, _ in codes[:first])
    after = b"".join(code for code, _ in codes[last + 1 :])
    assert applied(text, [Edit(placed.start, placed.end, b"<>")]) == before + b"<>" + after


# Disguises


def test_hidden_characters_take_no_hundredfold_of_memory() -> None:
    text = ("g\u200bh\u200bp\u200b_\u0430" * 4_000).encode()
    tracemalloc.start()
    whole = only(disguise_layer.undisguised(text, ample()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert whole.text == b"ghp_a" * 4_000
    assert peak < 15 * len(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("s\u200bk\u00ad-", "sk-"),
        ("ｓｋ－ａ１", "sk-a1"),  # noqa: RUF001 - what it is about
        ("\U0001d69c\U0001d694-\U0001d7cf", "sk-1"),
        ("sk\u2011proj", "sk-proj"),
        ("sк-рrоj", "sk-proj"),  # noqa: RUF001 - as above
        ("".join(chr(0xE0000 + ord(c)) for c in "sk-"), "sk-"),
    ],
)
def test_disguised_letters_are_made_plain(text: str, plain: str) -> None:
    whole = only(disguise_layer.undisguised(text.encode(), ample()))
    assert whole.text == plain.encode()
    [placed] = whole.back([cut(0, len(plain))])
    # A hidden character at either end may stay.
    assert (text.encode()[placed.end :], placed.start) in ((b"", 0), (b"\xc2\xad", 0))


@pytest.mark.parametrize("text", ["привет, мир", "今天，很好。", "é ü ñ", "naïve café"])  # noqa: RUF001
def test_honest_texts_of_other_scripts_are_plain(text: str) -> None:
    assert disguise_layer.undisguised(text.encode(), ample()) is None


@given(st.text("ab\u200bｓ𝚜с😀 ", min_size=1, max_size=30))  # noqa: RUF001 - what it is about
def test_every_disguised_character_is_found_again(text: str) -> None:
    raw = text.encode()
    whole = disguise_layer.undisguised(raw, ample()) or CharMap(raw, [])
    for at in range(len(whole.text)):
        start, end = whole.begin(at), whole.end(at + 1)
        assert 0 <= start < end <= len(raw)


# JSON


def never(_: bytes) -> bool:
    return False


def test_a_document_without_escapes_is_its_own_text() -> None:
    text = b'{"a": [1, "b", {"c": null}]}'
    assert flatten(text, is_document).map.text == text


def test_strings_are_written_out_and_the_rest_stays() -> None:
    text = rb'{"a": "x\ny", "b": 1, "c": "z"}'
    assert flatten(text, never).map.text == b'{"a":  x\ny\n, "b": 1, "c": "z"}'


def test_documents_in_strings_are_read_by_themselves() -> None:
    text = json.dumps({"a": json.dumps({"k": "v"}), "b": "[no", "c": "[1]", "d": "\n{}"}).encode()
    flat = flatten(text, is_document)
    assert [one.text for one in flat.nested] == [b'{"k": "v"}', b"[1]", b"\n{}"]
    assert flat.map.text == b'{"a": "", "b": "[no", "c": "", "d": ""}'
    assert [text[one.start : one.start + len(one.raw)] for one in flat.nested] == [
        rb"{\"k\": \"v\"}", b"[1]", rb"\n{}",
    ]  # fmt: skip


@given(st.text(max_size=40), st.booleans())
def test_any_string_is_written_out_as_json_reads_it(text: str, ascii_only: bool) -> None:
    raw = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogatepass")
    assert unescaped(raw) == text.encode("utf-8", "surrogatepass")
    assert json.loads(b'"%s"' % written(text.encode())) == text


def test_half_a_surrogate_pair_is_a_character_of_its_own() -> None:
    assert unescaped(rb"a\ud800b").decode("utf-8", "surrogatepass") == "a\ud800b"


STRINGS = st.text(st.sampled_from('ab"\\\n\té€😀/[{ '), max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.booleans())
def test_every_byte_of_a_written_out_document_comes_from_its_own(
    value: object, ascii_only: bool
) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only).encode()
    flat = flatten(text, never)
    for at in range(len(flat.map.text)):
        start, end = flat.map.begin(at), flat.map.end(at + 1)
        assert 0 <= start < end <= len(text)
        if text[start:end] == flat.map.text[at : at + 1]:
            continue
        assert text[start] in b'\\"' or text[start] >= 0x80


@given(VALUES, st.booleans())
def test_large_documents_are_read_as_small_ones(value: object, ascii_only: bool) -> None:
    text = json.dumps({"a": [value]}, ensure_ascii=ascii_only).encode()
    assert list(neighbours.large_strings(text)) == list(neighbours.strings(text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [(b'{"a":1}\n{"b":2}\n', True), (b'{"a":1}\r\n\r\n[2]', True), (b'{"a":1}\nb', False),
     (b'{"a":1}', False), (b"a\nb", False)],
)  # fmt: skip
def test_lines_of_documents_are_told(text: bytes, lines: bool) -> None:
    assert is_lines(text) is lines


# Structure


def spots(text: bytes, *words: bytes, lines: bool = False) -> list[tuple[str, bool]]:
    structure = Structure(text, str, lines=lines)
    found = [structure.at(text.index(word)) for word in words]
    return [(spot.path, spot.is_name) for spot in found]


def test_paths_are_written_as_people_do() -> None:
    text = b'{"a": {"b": [1, "x", {"c": "y"}]}, "z": 77}'
    assert spots(text, b"x", b"y", b"77") == [("a.b[1]", False), ("a.b[2].c", False), ("z", False)]


def test_names_are_told_from_texts() -> None:
    text = b'{"first" : {"second": "third"}}'
    assert spots(text, b"first", b"second", b"third") == [
        ("", True), ("first", True), ("first.second", False),
    ]  # fmt: skip


def test_a_step_back_is_answered_too() -> None:
    assert spots(b'["x", "y"]', b"y", b"x") == [("[1]", False), ("[0]", False)]


def test_lines_are_counted() -> None:
    assert spots(b'{"a": "x"}\n\n{"b": "y"}', b"x", b"y", lines=True) == [
        ("line 1, a", False), ("line 3, b", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "result"),
    [
        (6, 10, b'{"a": "<>", "b": "x y", "c": [1, 2]}'),
        (7, 9, b'{"a": "<>", "b": "x y", "c": [1, 2]}'),
        (18, 19, b'{"a": 1234, "b": "<> y", "c": [1, 2]}'),
        (17, 22, b'{"a": 1234, "b": "<>", "c": [1, 2]}'),
    ],
)
def test_a_cut_stays_in_its_string_or_makes_its_number_one(
    start: int, end: int, result: bytes
) -> None:
    text = b'{"a": 1234, "b": "x y", "c": [1, 2]}'
    fitting = Structure(text, str).fitting(cut(start, end))
    assert fitting is not None
    assert redacted(text, [fitting]) == result


@pytest.mark.parametrize(("start", "end"), [(6, 14), (18, 25), (30, 34), (0, 3)])
def test_a_cut_never_takes_what_gives_the_document_its_shape(start: int, end: int) -> None:
    text = b'{"a": 1234, "b": "x y", "c": [1, 2]}'
    assert Structure(text, str).fitting(cut(start, end)) is None


# Base64 and hex


def changed(text: bytes, old: bytes, new: bytes) -> bytes:
    """The text with this in its one run replaced."""
    [run] = [run for codec in (BASE64, HEX) for run in coded(text, codec)]
    at = run.text.index(old)
    edit = run.rewritten([Edit(at, at + len(old), new)])
    assert edit is not None
    return applied(text, [edit])


def b64(text: bytes) -> bytes:
    return base64.b64encode(text)


@pytest.mark.parametrize("size", range(20, 27))
@pytest.mark.parametrize("new", [b"", b"x", b"xy", b"longer than before"])
def test_a_run_is_written_again_at_any_length(size: int, new: bytes) -> None:
    text = (TEXT * 2)[:size]
    assert changed(b"<%s>" % b64(text), b"quick", new) == b"<%s>" % b64(text.replace(b"quick", new))


@pytest.mark.parametrize("write", [bytes, bytes.upper])
def test_hex_is_written_in_its_own_case(write: type[bytes]) -> None:
    coded_text = write(TEXT.hex().encode())
    wanted = write(TEXT.replace(b"fox", b"owls").hex().encode())
    assert changed(b"(%s)" % coded_text, b"fox", b"owls") == b"(%s)" % wanted


@pytest.mark.parametrize("text", [TEXT + b"?" * 9, TEXT + b"\xc3\xbf" * 9])
def test_the_alphabet_of_urls_is_kept(text: bytes) -> None:
    url = base64.urlsafe_b64encode(text)
    assert changed(url, b"fox", b"ox") == base64.urlsafe_b64encode(text.replace(b"fox", b"ox"))


def test_what_is_unpadded_stays_so() -> None:
    text = (TEXT * 2)[:37]
    wanted = b64(text.replace(b"fox", b"bear"))
    assert changed(b64(text).rstrip(b"="), b"fox", b"bear") == wanted.rstrip(b"=")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\n    "])
def test_lines_are_wrapped_as_they_were(line_end: bytes) -> None:
    def wrapped(text: bytes) -> bytes:
        return base64.encodebytes(text).strip().replace(b"\n", line_end)

    text = TEXT * 9
    old, new = b"fox jumps over it. The", b"[REDACTED:x]"
    body = b"Here:\n" + wrapped(text) + b"\n\nand that was it"
    wanted = b"Here:\n" + wrapped(text.replace(old, new, 1)) + b"\n\nand that was it"
    assert changed(body, old, new) == wanted


@pytest.mark.parametrize("glued", ["x", "xy", "xyz", "/v1/files/", "a-b"])
def test_what_is_glued_before_a_run_stays(glued: str) -> None:
    text = glued.encode() + b64(TEXT)
    found = [run for run in coded(text, BASE64) if b"brown" in run.text]
    assert len(found) == 1
    at = found[0].text.index(b"brown")
    edit = found[0].rewritten([Edit(at, at + 5, b"red")])
    assert edit is not None
    assert applied(text, [edit]).startswith(glued.encode() + b64(TEXT)[:12])


def test_a_run_that_would_come_out_otherwise_is_not_written() -> None:
    # The last letter holds bits that mean nothing: a canonical one holds zeros.
    text = b64(TEXT).rstrip(b"=")[:-1] + b"B"
    [run] = coded(text, BASE64)
    assert run.rewritten([Edit(4, 9, b"slow")]) is None


def test_noise_and_names_are_no_texts() -> None:
    names = b"some_very_long_name_of_a_function another/path/that/is/long/enough "
    digests = bytes(range(128, 256)).hex().encode()
    assert list(coded(names + digests, BASE64)) == []
    assert list(coded(names + digests, HEX)) == []
    noise = hashlib.shake_128(b"noise").digest(100_000)
    assert list(coded(b64(noise), BASE64)) == []


@pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0", b"GIF89a", b"OggS\0", b"fLaC"])
def test_media_are_told_by_how_they_begin(head: bytes) -> None:
    assert [run.media for run in coded(b64(head + TEXT), BASE64)] == [True]


@pytest.mark.parametrize("at", range(40, 70))
def test_a_text_over_the_end_of_a_line_is_one(at: int) -> None:
    noise = hashlib.shake_128(b"noise").digest(at)
    [run] = coded(base64.encodebytes(noise + TEXT[:20]), BASE64)
    assert run.text == noise + TEXT[:20]


@given(st.binary(min_size=20, max_size=200), st.sampled_from([0, 60, 64, 76]))
def test_a_run_is_what_was_coded(data: bytes, width: int) -> None:
    body = b64(TEXT + data)
    lines = [body[at : at + width] for at in range(0, len(body), width)] if width else [body]
    text = b"\n".join(lines)
    # What was put together is read as it was, whatever else it may be read as.
    assert TEXT + data in [run.text for run in coded(text, BASE64)]


# UTF-16


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_wide_text_goes_back_to_where_it_stood(codec: str) -> None:
    text = "The key is 12345, 😀 really, and nothing else."
    wide = widened(text.encode(codec))
    assert wide is not None
    assert wide.text == text.encode()
    at = wide.text.index(b"really")
    [placed] = wide.back([cut(at, at + 6, b"not")])
    after = redacted(text.encode(codec), [placed])
    assert after.decode(codec) == text.replace("really", "not")


@pytest.mark.parametrize("data", [b"plain text", "Grüße".encode(), b"\0\0\0\0", b"", b"a"])
def test_other_data_is_not_wide(data: bytes) -> None:
    assert widened(data) is None


@pytest.mark.parametrize(
    ("data", "binary"),
    [(b"a text\r\n\twith colour \x1b[1m", False), ("Grüße".encode("latin-1"), False),
     (b"zero \0 in it", True), (bytes(range(32)) * 9, True), (b"\xff\xfea\0", True)],
)  # fmt: skip
def test_binaries_are_told_from_texts(data: bytes, binary: bool) -> None:
    assert is_binary(data) is binary


# Forms


def test_fields_are_written_out_with_their_places() -> None:
    form = b"a=1+2&b%5B%5D=%C3%A9%2B&&c"
    found = [(one.start, one.is_name, one.map.text) for one in form_layer.fields(form)]
    assert found == [
        (0, True, b"a"), (2, False, b"1 2"), (6, True, b"b[]"), (14, False, "é+".encode()),
        (24, True, b""), (25, True, b"c"),
    ]  # fmt: skip


@given(st.binary(max_size=30), st.binary(min_size=1, max_size=10), st.binary(max_size=30))
def test_what_is_put_into_a_form_is_coded_as_it_is(left: bytes, old: bytes, right: bytes) -> None:
    value = quote(left + old + right, safe="").encode()
    plain = form_layer.unplussed(value)
    cuts = plain.back([cut(len(left), len(left) + len(old), b"[x:y]")], form_layer.quoted)
    after = redacted(value, cuts)
    assert unquote_to_bytes(after) == left + b"[x:y]" + right
    assert b"[" not in after


def test_stretches_are_decoded_in_groups() -> None:
    runs = b" ".join(
        [b64(hashlib.shake_128(b"noise").digest(27))] * (base_layer.MANY + 3) + [b64(TEXT)]
    )
    assert [run.text for run in coded(runs, BASE64)] == [TEXT]
