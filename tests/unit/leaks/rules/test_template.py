"""Templates fill to what they say, the same each time, and tell what is wrong with them."""

import base64
import re
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.checks.doubts import is_placeholder, is_wordy
from openai_gateway.leaks.checks.validators import VALIDATORS
from openai_gateway.leaks.rules.drawn import CLASSES, MADE
from openai_gateway.leaks.rules.template import LONGEST, TemplateFault, fill


def filled(template: str, seed: int = 1) -> bytes:
    return fill(template, Random(seed))  # noqa: S311 - the same values again, no secret


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("plain", rb"plain"),
        ("ghp_{alnum:30}", rb"ghp_[0-9A-Za-z]{30}"),
        ("{hex:8}-{HEX:8}", rb"[0-9a-f]{8}-[0-9A-F]{8}"),
        ("{digits:5-7}", rb"\d{5,7}"),
        ("{upper:9}", rb"[A-Z0-9]{9}"),
        ("{base32:16}", rb"[A-Z2-7]{16}"),
        ("{bech32:58}", rb"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
        ("{alnum:0}", rb""),
        ("{{{digits:2}}}", rb"\{\d\d\}"),
        ('{{"a":1}}', rb'\{"a":1\}'),
        ("{uuid}", rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("{jwt}", rb"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"),
        ("{jwt:none}", rb"eyJ[\w-]+\.eyJ[\w-]+\."),
        ("{pem:EC}", rb"(?s)-----BEGIN EC PRIVATE KEY-----\n.+\n-----END EC PRIVATE KEY-----"),
        ("é", "é".encode()),
    ],
)
def test_a_template_fills_to_its_form(template: str, pattern: bytes) -> None:
    assert re.fullmatch(pattern, filled(template))


def test_the_same_chance_gives_the_same_text() -> None:
    assert filled("{alnum:40}{uuid}", 7) == filled("{alnum:40}{uuid}", 7)
    assert filled("{alnum:40}", 7) != filled("{alnum:40}", 8)


def test_texts_are_encoded_with_their_own_fields_and_braces() -> None:
    made = base64.b64decode(filled('{b64:{{"user":"{lower:5}"}}}'))
    assert re.fullmatch(rb'\{"user":"[a-z]{5}"\}', made)
    assert bytes.fromhex(filled("{hexed:a{digits:2}}").decode())[:1] == b"a"
    assert not filled("{b64url:{digits:17}}").endswith(b"=")


@pytest.mark.parametrize("seed", range(20))
def test_a_checksum_is_of_what_was_drawn_before_it(seed: int) -> None:
    made = filled("token ghp_{alnum:30}{crc32} and npm_{alnum:30}{crc32}", seed)
    for token in re.findall(rb"(?:ghp|npm)_\w{36}", made):
        assert VALIDATORS["github_crc32"](token, token, 0, len(token)) == "keep"


@pytest.mark.parametrize(
    ("template", "validator", "said"),
    [
        ("{jwt}", "jwt", "keep"),
        ("{jwt:expired}", "jwt", "lower"),
        ("{jwt:anon}", "jwt", "lower"),
        ("{jwt:none}", "jwt", "drop"),
        *((f"{{pem:{label}}}", "pem", "keep") for label in ("RSA", "OPENSSH", "PKCS8", "PGP")),
        *((f"{{card:{name}}}", "card", "keep") for name in ("visa", "amex", "diners", "unionpay")),
        *((f"{{iban:{country}}}", "iban", "keep") for country in ("DE", "NO", "MT", "LC")),
        ("{german_tax_id}", "german_tax_id", "keep"),
        ("{dni}", "dni", "keep"),
        ("{cpf}", "cpf", "keep"),
        ("{nir}", "nir", "keep"),
        ("{ssn}", "ssn", "keep"),
    ],
)
def test_what_is_made_passes_its_check(template: str, validator: str, said: str) -> None:
    for seed in range(30):
        made = filled(template, seed)
        assert VALIDATORS[validator](made, made, 0, len(made)) == said


@given(st.integers(), st.sampled_from(sorted(set(CLASSES) - {"digits"})), st.integers(16, 80))
def test_what_is_drawn_never_looks_like_a_placeholder(seed: int, name: str, length: int) -> None:
    made = filled(f"{{{name}:{length}}}", seed)
    assert len(made) == length
    assert not is_placeholder(made, weak=True)
    assert not is_wordy(made)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{alnum}", "`alnum` needs a length, like {alnum:36} or {alnum:20-40}"),
        ("{alnum:x}", "needs a length"),
        ("{alnum:²}", "needs a length"),
        ("{alnum:999999}", "needs a length"),
        ("{alnum:9-3}", "has its longest length before its shortest"),
        ("{nothing:3}", "has the unknown field `nothing`; known are HEX,"),
        ("{alnum:3", "does not close the brace of `alnum`"),
        ("{b64:abc", "does not close the brace of `b64`"),
        ("a}b", "closes a brace that is not open"),
        ("{card:rubber}", "`card` knows visa"),
        ("{pem:NONE}", "`pem` knows"),
        ("{iban:XX}", "needs a country"),
        ("{jwt:old}", "knows expired"),
        ("{b64:" * 9 + "}" * 9, "nested too deeply"),
        ("x" * (LONGEST + 1), "is longer than 64 KiB"),
        ("{alnum:65000}{alnum:65000}", "makes more than 64 KiB"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(template: str, said: str) -> None:
    with pytest.raises(TemplateFault, match=re.escape(said)):
        filled(template)


@given(st.text(alphabet="{}:-ab64lnum0123jwtpe ", max_size=40))
def test_any_template_fills_or_tells(template: str) -> None:
    with suppress(TemplateFault):
        filled(template)


def test_every_made_value_is_made_without_an_option_or_tells() -> None:
    for name in MADE:
        if name != "pem":
            assert filled(f"{{{name}}}")
