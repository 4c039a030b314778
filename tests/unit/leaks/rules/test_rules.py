"""The shipped rules: each finds its examples and lets be what it must, and clean text is clean."""

import sysconfig
from pathlib import Path

import pytest

from openai_gateway.leaks.engine.compiled import compiled
from openai_gateway.leaks.engine.detector import Detector
from openai_gateway.leaks.engine.matcher import Matcher
from openai_gateway.leaks.rules import rule_set
from openai_gateway.leaks.rules.examples import failed
from openai_gateway.leaks.rules.rule import Rule

RULES = Path(__file__).parents[4] / "rules"
SECRETS = rule_set.load([RULES / "secrets.yaml"])
PERSONAL = rule_set.load([RULES / "pii.yaml"])
EVERY = (*SECRETS, *PERSONAL)
# Modules of the standard library that hold what a scan could stumble on, and a lot of plain code.
CLEAN = ("ssl.py", "hashlib.py", "secrets.py", "token.py", "tokenize.py", "netrc.py", "imaplib.py",
         "uuid.py", "base64.py", "urllib/parse.py", "urllib/request.py", "http/cookiejar.py",
         "email/message.py", "smtplib.py", "getpass.py", "html/entities.py", "keyword.py",
         "pydoc_data/topics.py", "_pydecimal.py", "turtle.py", "typing.py", "unittest/mock.py",
         "asyncio/sslproto.py", "json/encoder.py", "encodings/punycode.py")  # fmt: skip


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(SECRETS)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.id)
def test_each_rule_holds_to_its_examples_however_they_are_filled(rule: Rule) -> None:
    found = list(failed(rule, Matcher(compiled(rule)).finds, times=50))
    assert found == []


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.id)
def test_each_rule_says_what_it_is(rule: Rule) -> None:
    assert rule.title
    assert rule.source
    assert rule.matches
    assert rule.ignores
    assert rule.title != rule.id


@pytest.mark.parametrize("rule", SECRETS, ids=lambda rule: rule.id)
def test_each_keyword_is_in_every_match(rule: Rule) -> None:
    assert compiled(rule).sure or not rule.keywords


def test_nearly_every_rule_of_secrets_has_a_keyword() -> None:
    without = {rule.id for rule in SECRETS if not rule.keywords}
    assert without == {"asana-token", "discord-bot-token", "mailgun-sending-key"}


def test_the_rules_that_a_name_betrays_come_last() -> None:
    ids = [rule.id for rule in SECRETS]
    assert ids[-3:] == ["named-secret", "named-secret-bare", "named-password"]


def test_what_may_be_seen_is_only_reported() -> None:
    reported = {rule.id for rule in SECRETS if rule.action == "report"}
    assert reported == {
        "aws-presigned-url", "azure-sas", "openai-ephemeral", "stripe-test-key",
    }  # fmt: skip
    assert {rule.action for rule in PERSONAL} == {"report"}


def test_what_is_looked_for_in_texts_taken_apart_has_no_name_beside_it() -> None:
    assert not any(rule.strong for rule in SECRETS if rule.group or rule.validator == "vendors")


@pytest.mark.parametrize("name", CLEAN)
def test_the_standard_library_is_clean(detector: Detector, name: str) -> None:
    text = (Path(sysconfig.get_path("stdlib")) / name).read_bytes()
    assert [hit.rule.id for hit in detector.find(text)] == []
    assert [hit.rule.id for hit in detector.find(text, strong=True)] == []


@pytest.mark.parametrize("rule", SECRETS, ids=lambda rule: rule.id)
def test_no_rule_finds_its_own_mark(detector: Detector, rule: Rule) -> None:
    for text in (f"api_key=[REDACTED:{rule.id}]", f"?api_key=%5BREDACTED%3A{rule.id}%5D&x=1"):
        assert detector.find(text.encode()) == []
