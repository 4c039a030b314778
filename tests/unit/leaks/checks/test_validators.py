"""Checksums against values worked by hand or made by others, and no text that makes one raise."""

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.checks import identities
from openai_gateway.leaks.checks.validators import VALIDATORS, base62, jwt

# The one that articles on GitHub's format take apart; it was never given out again.
SHOWN = b"ghp_" + b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + b"0mLq17"
TODAY = 1_800_000_000


def checked(name: str, secret: bytes, before: bytes = b"", after: bytes = b"") -> str:
    text = before + secret + after
    return VALIDATORS[name](secret, text, len(before), len(before) + len(secret))


def part(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def token(header: object, claims: object, signature: bytes = b"s" * 43) -> bytes:
    return b".".join([part(header), part(claims), signature])


@given(
    st.sampled_from(sorted(VALIDATORS)),
    st.one_of(
        st.binary(max_size=300),
        st.text(alphabet="eyJ.0123456789abcdefABCDEF:-_=+/ \n", max_size=300).map(str.encode),
    ),
    st.binary(max_size=40),
    st.binary(max_size=40),
)
def test_none_raises_whatever_it_is_given(
    name: str, secret: bytes, before: bytes, after: bytes
) -> None:
    assert checked(name, secret, before, after) in ("keep", "drop", "lower")


def test_githubs_checksum_is_as_github_shows_it() -> None:
    assert checked("github_crc32", SHOWN) == "keep"
    assert checked("github_crc32", SHOWN[:-1] + b"8") == "drop"
    assert checked("github_crc32", SHOWN.replace(b"zQWB", b"zQWC")) == "drop"
    assert checked("github_crc32", b"ghp_short") == "drop"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, b"000000"), (9, b"000009"), (10, b"00000A"), (36, b"00000a"), (61, b"00000z"),
     (62, b"000010"), (62**5, b"100000"), (2**32 - 1, b"4gfFC3")],
)  # fmt: skip
def test_a_checksum_has_six_digits_of_base62(number: int, written: bytes) -> None:
    assert base62(number) == written


def test_a_checksum_of_zeros_is_padded() -> None:
    drawn = next(
        text for n in range(1, 1_000_000)
        if zlib.crc32(text := b"%030d" % n) < 62**5
    )  # fmt: skip
    assert base62(zlib.crc32(drawn)).startswith(b"0")
    assert checked("github_crc32", b"npm_" + drawn + base62(zlib.crc32(drawn))) == "keep"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (token({"alg": "HS256"}, {"sub": "1"}), "keep"),
        (token({"alg": "HS256"}, {"exp": TODAY + 60}), "keep"),
        (token({"alg": "HS256"}, {"exp": TODAY - 60}), "lower"),
        (token({"alg": "HS256"}, {"exp": "never"}), "keep"),
        (token({"alg": "HS256"}, {"role": "anon"}), "lower"),
        (token({"alg": "HS256"}, {"role": "service_role"}), "keep"),
        (token({"alg": "none"}, {"sub": "1"}), "drop"),
        (token({"alg": "HS256"}, {"sub": "1"}, b""), "drop"),
        (token({"typ": "JWT"}, {"sub": "1"}), "drop"),
        (token({"alg": "HS256"}, [1, 2]), "drop"),
        (b"eyJhbGciOiJ.eyJhbGciOiJ." + b"s" * 43, "drop"),
        (b"ghs_" + b"1234_" + token({"alg": "RS256"}, {"iss": "app"}), "keep"),
    ],
)
def test_a_jwt_is_judged_by_header_claims_and_end(secret: bytes, said: str) -> None:
    assert jwt(secret, secret, 0, len(secret), now=lambda: TODAY) == said


# 79927398713 is Luhn's own example; the others are the networks' test numbers.
@pytest.mark.parametrize(
    ("number", "valid"),
    [("79927398713", True), ("79927398710", False), ("4242424242424242", True),
     ("4242424242424241", False), ("378282246310005", True), ("6011111111111117", True)],
)  # fmt: skip
def test_luhn(number: str, valid: bool) -> None:
    assert identities.luhn(number) is valid


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (b"4556 7375 8689 9855", "keep"),
        (b"4556-7375-8689-9855", "keep"),
        (b"4556737586899856", "drop"),
        (b"9556737586899853", "drop"),  # no issuer
        (b"4444444444444448", "drop"),  # one digit over and over
        (b"22222222222222222224", "drop"),  # too long
    ],
)
def test_a_card_needs_issuer_checksum_and_digits(secret: bytes, said: str) -> None:
    assert checked("card", secret) == said


def test_a_number_amid_others_is_no_card() -> None:
    card = b"4556737586899855"
    assert checked("card", card, b"12, ", b", 77") == "drop"
    assert checked("card", card, b"0.", b"") == "drop"
    assert checked("card", card, b"", b".5") == "drop"
    assert checked("card", card, b"card: ", b", 09/29") == "keep"


# The registry's own examples, and each with a digit changed.
@pytest.mark.parametrize(
    "secret",
    ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606",
     "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "CH93 0076 2011 6238 5295 7"],
)  # fmt: skip
def test_an_iban_has_its_countrys_length_and_checksum(secret: str) -> None:
    assert checked("iban", secret.encode()) == "keep"
    assert checked("iban", secret[:-3].encode() + b"777"[: len(secret)]) == "drop"
    assert checked("iban", secret.encode() + b"0") == "drop"


@pytest.mark.parametrize(
    ("name", "secret", "said"),
    [
        ("ssn", b"536-22-8145", "keep"),
        ("ssn", b"000-22-8145", "drop"),
        ("ssn", b"666-22-8145", "drop"),
        ("ssn", b"900-22-8145", "drop"),
        ("ssn", b"536-00-8145", "drop"),
        ("ssn", b"536-22-0000", "drop"),
        ("ssn", b"078-05-1120", "drop"),  # printed in a wallet, 1938
        ("german_tax_id", b"86095742719", "keep"),  # the example that is usual
        ("german_tax_id", b"86095742718", "drop"),
        ("german_tax_id", b"00000000000", "drop"),
        ("dni", b"12345678Z", "keep"),
        ("dni", b"X1234567L", "keep"),
        ("dni", b"12345678A", "drop"),
        ("cpf", b"529.982.247-25", "keep"),
        ("cpf", b"529.982.247-24", "drop"),
        ("cpf", b"111.111.111-11", "drop"),
        ("nir", b"2 55 08 14 168 025 38", "keep"),  # the example that is usual
        ("nir", b"2 55 08 14 168 025 39", "drop"),
        ("nir", b"1 85 05 2A 006 184 32", "keep"),  # 1850519006184 by 97 leaves 65
        ("nino", b"JG103759A", "keep"),
        ("nino", b"GB103759A", "drop"),
        ("nino", b"QQ123456C", "drop"),
        ("phone", b"+49 30 901820", "keep"),
        ("phone", b"+49 30", "drop"),
        ("email", b"ada@lovelace.org", "keep"),
        ("email", b"ada@example.com", "drop"),
        ("email", b"icon@2x.png", "drop"),
    ],
)
def test_what_stands_for_a_person(name: str, secret: bytes, said: str) -> None:
    assert checked(name, secret) == said


@pytest.mark.parametrize(
    ("name", "secret", "said"),
    [
        ("discord", base64.b64encode(b"123456789012345678") + b".abcdef.tail", "keep"),
        ("discord", base64.b64encode(b"not a number at all") + b".abcdef.tail", "drop"),
        ("macaroon", b"pypi-" + base64.urlsafe_b64encode(b"\x02\x01\x08pypi.org\x02"), "keep"),
        ("macaroon", b"pypi-" + base64.urlsafe_b64encode(b"\x01\x01\x08pypi.org\x02"), "drop"),
        ("bedrock", b"ABSK" + base64.b64encode(b"BedrockAPIKey-ab1c-at-1:x"), "keep"),
        ("bedrock", b"ABSK" + base64.b64encode(b"SomethingElse-ab1c-at-1:x"), "drop"),
        ("docker_auth", base64.b64encode(b"deploy:v9Kq-3fLw8Zt2"), "keep"),
        ("docker_auth", base64.b64encode(b"user:password"), "drop"),
        ("docker_auth", base64.b64encode(b"no colon in here"), "drop"),
        ("docker_auth", base64.b64encode(b"\x00\x01:\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"), "drop"),
    ],
)
def test_what_must_decode(name: str, secret: bytes, said: str) -> None:
    assert checked(name, secret) == said


def test_an_aws_id_that_signs_a_url_is_no_secret() -> None:
    key = b"AKIA" + b"Q3EGR7VBN2XM5TLD"
    assert checked("aws_id", key, b"id: ") == "keep"
    assert checked("aws_id", key, b"?X-Amz-Credential=") == "drop"
    assert checked("aws_id", key, b"Authorization: AWS4-HMAC-SHA256 Credential=") == "drop"
    assert checked("aws_id", b"AKIA" + b"IOSFODNN7EXAMPLE") == "drop"


def test_a_google_key_of_a_web_page_is_only_reported() -> None:
    key = b"AIza" + b"x" * 35
    assert checked("google_key", key, b'{apiKey: "', b'", authDomain: "a.app"}') == "lower"
    assert checked("google_key", key, b"GEMINI_API_KEY=") == "keep"


def pem(body: bytes, label: bytes = b"RSA PRIVATE KEY") -> bytes:
    return b"-----BEGIN %s-----\n%s\n-----END %s-----" % (label, body, label)


@pytest.mark.parametrize("joint", [b"\n", b"\r\n", b"\\n", b'\\n" +\n"', b"\n    ", b"\n> "])
def test_a_private_keys_body_decodes_however_its_lines_are_joined(joint: bytes) -> None:
    drawn = base64.b64encode(bytes(n * 37 % 251 for n in range(240)))
    lines = [drawn[at : at + 64] for at in range(0, len(drawn), 64)]
    assert checked("pem", pem(joint.join(lines))) == "keep"


@pytest.mark.parametrize(
    "body", [b"...", b"A" * 200, b"MIIEpAIBAAKCAQEA...", b"your key goes in here " * 10]
)
def test_a_private_keys_body_that_says_nothing_is_none(body: bytes) -> None:
    assert checked("pem", pem(body)) == "drop"
