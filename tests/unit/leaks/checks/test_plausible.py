"""What is no live secret by its look, and that a live one is not dropped with it."""

import hashlib
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.checks.documented import EXAMPLES
from openai_gateway.leaks.checks.doubts import changes, entropy, is_placeholder, is_wordy
from openai_gateway.leaks.checks.plausible import beginning, is_plausible
from openai_gateway.leaks.checks.validators import VALIDATORS
from openai_gateway.leaks.rules.template import fill


@dataclass(frozen=True)
class ARule:
    pattern: str = "gsk_[A-Za-z0-9]{52}"
    entropy: float | None = 3.5
    strong: bool = False


def plausible(
    secret: bytes, rule: ARule | None = None, before: bytes = b"", after: bytes = b""
) -> bool:
    start = len(before)
    return is_plausible(
        rule or ARule(), secret, before + secret + after, start, start + len(secret)
    )


def drawn(template: str, seed: int = 1) -> bytes:
    return fill(template, Random(seed))  # noqa: S311 - the same values again, no secret


@pytest.mark.parametrize("seed", range(30))
def test_a_drawn_token_is_plausible(seed: int) -> None:
    assert plausible(drawn("gsk_{alnum:52}", seed))


@pytest.mark.parametrize(
    "secret",
    [
        b"gsk_" + b"x" * 52,
        b"gsk_" + b"your-groq-api-key-goes-here",
        b"gsk_" + b"abcdefghijklmnopqrstuvwxyz",
        b"gsk_" + b"0123456789" * 5,
        b"gsk_" + b"EXAMPLEEXAMPLEEXAMPLEEXAMPLE",
        b"gsk_" + b"ab" * 26,
        b"gsk_${GROQ_KEY}",
        b"gsk_<your key>",
        b"gsk_" + b"AutoModelForSequenceClassification",
        b"AKIA" + b"IOSFODNN7EXAMPLE",
    ],
)
def test_placeholders_and_words_are_not(secret: bytes) -> None:
    assert not plausible(secret)


@pytest.mark.parametrize("word", [b"-example", b"_example", b"-your-key", b"xxxxxx", b"-changeme"])
def test_a_word_put_behind_a_live_key_does_not_hide_it(word: bytes) -> None:
    assert plausible(drawn("gsk_{alnum:52}") + word)


def test_the_documented_examples_are_known_by_their_digests() -> None:
    shown = b"wJalrXUtnFEMI/K7MDENG/" + b"bPxRfiCYEXAMPLEKEY"
    assert hashlib.sha256(shown).hexdigest() in EXAMPLES
    assert not plausible(shown, ARule("(x)", None))
    assert all(len(one) == 64 and int(one, 16) for one in EXAMPLES)


def test_what_stands_inside_a_longer_run_of_base64_stands_there_by_chance() -> None:
    token, run = drawn("EAAA{alnum:60}"), drawn("{base64:60}", 7)
    weak = ARule("EAAA[A-Za-z0-9]{60}", 3.5)
    assert not plausible(token, weak, before=run + b"/")
    assert not plausible(token, weak, after=b"+" + run)
    assert plausible(token, weak, before=b"key=", after=b"&x=1")
    assert plausible(token, weak, before=b"https://host/api/v2/keys/", after=b"/of-this-account")
    assert plausible(token, ARule("EAAA[A-Za-z0-9]{60}", 3.5, strong=True), before=run + b"/")


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [("ghp_[A-Z]", b"ghp_"), ("(?i)x", b""), ("abc?d", b"ab"), ("a{2}", b""), ("sk-", b"sk-"),
     ("hv[sb]", b"hv"), (r"SG\.x", b"SG")],
)  # fmt: skip
def test_a_patterns_plain_beginning_is_not_counted(pattern: str, begins: bytes) -> None:
    assert beginning(pattern) == begins


def test_entropy_is_shannons() -> None:
    assert entropy(b"") == 0
    assert entropy(b"aaaa") == 0
    assert entropy(b"abcd") == 2
    assert entropy(bytes(range(256))) == 8


def test_changes_count_steps_between_kinds() -> None:
    assert changes(b"aA1") == 1
    assert changes(b"aaa") == 0
    assert changes(b"a-A") == 1
    assert changes(b"aaAA") == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "text",
    [b"AutoModelForSequenceClassification", b"my-super-long-credential-name", b"GETUSERNAME"],
)
def test_words_are_wordy(text: bytes) -> None:
    assert is_wordy(text)


@pytest.mark.parametrize("form", ["{alnum:32}", "{hex:40}", "{base64:40}", "{uuid}", "{base32:16}"])
def test_what_is_drawn_is_not_wordy(form: str) -> None:
    assert not any(is_wordy(drawn(form, seed)) for seed in range(200))


@given(st.binary(max_size=400), st.booleans())
def test_no_text_is_too_odd_to_be_judged(text: bytes, weak: bool) -> None:
    is_placeholder(text, weak=weak)
    is_wordy(text)
    plausible(text, ARule(strong=False), before=text, after=text)


def named(text: str, value: str, rule: str = "named_value") -> str:
    whole, secret = text.replace("§", value).encode(), value.encode()
    start = whole.index(secret)
    return VALIDATORS[rule](secret, whole, start, start + len(secret))


VALUE = drawn("{alnum:32}", 3).decode()


@pytest.mark.parametrize(
    "text",
    ['api_key = "§"', '"apiKey": "§"', '\\"access_token\\": \\"§\\"', "API_KEY=§", "token: §\n",
     "const authToken: string = '§';", 'os.environ["DB_SECRET"] = "§"', "tool --api-key § run",
     "?access_token=§&x=1", "X-Api-Key: §", '{"name": "APP_SECRET", "value": "§"}',
     'setenv("DB_PASSWORD", "§")', "<password>§</password>", "my password is §", "APIKey=§",
     "content: service_api_key = '§'", "CACHE_PASSWORD=§", "SECRET_KEY_BASE: §"],
)  # fmt: skip
def test_a_secrets_name_is_known_in_data_code_and_commands(text: str) -> None:
    assert named(text, VALUE) == "keep"


@pytest.mark.parametrize(
    "text",
    ['next_page_token = "§"', "key: §", "monkey = '§'", 'secret_name = "§"', "token_type: §",
     "csrf_token=§", 'password_hash = "§"', "public_key: §", "client_secret_id=§", "cache_key: §",
     "a token § of it", "('token', 'x'), '§'", "arn:aws:secretsmanager:eu:1:secret:§",
     "password = §(x)", "tokenizer: §", "password_file=§", "max_tokens: §"],
)  # fmt: skip
def test_other_names_are_not(text: str) -> None:
    assert named(text, VALUE) == "drop"


@pytest.mark.parametrize(
    "value",
    ["your-api-key-goes-here-1", "self.tokenizer2.next_one", "/run/secrets/db-password-1",
     "sha256:8f2e11aa09bb34cc", "https://host.lan/secret/1", "aaaaaaaaaaaaaaaa1", "$DB_PASSWORD_1",
     "2026-11-24T10:00:00Z", "1234567890123456", "thisisnothingbutletters", "test_0123456789abcdef",
     "com.acme.shop.Token2", "getTokenOfTheDay2()", "PKCS7PrivateKeyTypes", "config.staging.json"],
)  # fmt: skip
def test_other_values_are_not(value: str) -> None:
    assert named("api_key = '§'", value) == "drop"


def test_what_other_rules_judge_is_left_to_them() -> None:
    for template in ("{jwt:expired}", "sk_test_{alnum:24}", "ghp_{alnum:36}", "AIza{base64url:35}"):
        assert named("api_key = '§'", drawn(template).decode()) == "drop"


def test_a_uuid_is_a_key_only_where_it_is_named_one() -> None:
    value = drawn("{uuid}").decode()
    assert named("API_KEY=§", value) == "keep"
    assert named("auth_token: §", value) == "keep"
    assert named("password: §", value) == "drop"
    assert named("key: §", value) == "drop"


@pytest.mark.parametrize(
    "password", ["user", "password", "changeme", "postgres1", "$PASSWORD", "test1234"]
)
def test_usual_passwords_of_urls_are_not(password: str) -> None:
    assert named("postgres://app:§@db", password, "url_password") == "drop"


def test_short_passwords_need_three_kinds_well_mixed() -> None:
    assert named("password = '§'", "k7R!w" + "2Qz#e", "named_password") == "keep"
    assert named("password = '§'", "Summer2024!", "named_password") == "drop"
    assert named("password = '§'", "getPassword1", "named_password") == "drop"
