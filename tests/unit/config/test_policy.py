"""What limits may not say, each told with its file, line and column, and never with a password."""

from pathlib import Path

import pytest

from openai_gateway.config.load import load, read
from openai_gateway.config.problems import ConfigError

AMOUNTS = ("rpm", "tpm", "rpd", "tpd", "ipm", "concurrency")
URLS = {
    "SINGLE": "redis://gw:FAKEPASS@cache/0",
    "SENTINELS": "rediss+sentinel://gw:FAKEPASS@a,b/main?sentinel_password=FAKEPASS",
    "CLUSTER": "rediss+cluster://gw:FAKEPASS@a:1,b:2",
    "NONSENSE": "redis+sentinel://gw:FAKEPASS@a",
    "OTHER_STORE": "memcached://gw:FAKEPASS@a",
}
ENV = URLS | {
    "OPENAI_API_KEY_PRODUCTION": "sk-proj-" + "FAKE" * 10,
    "OPENAI_API_KEY_STAGING": "sk-proj-" + "EKAF" * 10,
}


def told(limits: str, tmp_path: Path) -> list[str]:
    """What is told of a file whose third line this is, from that file's name on."""
    file = tmp_path / "gateway.yaml"
    file.write_text(f"keys: {{}}\nlimits:\n  {limits}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, ENV)
    lines = [str(problem) for problem in caught.value.problems]
    assert "FAKEPASS" not in "".join(lines)
    return [line.removeprefix(f"{tmp_path}/") for line in lines]


@pytest.mark.parametrize("kind", AMOUNTS)
@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("0", "must be at least 1"),
        ("-5", "must be at least 1"),
        ("0.5", "must be a whole number"),
        ("1.0", "must be a whole number"),
        (".inf", "must be a"),
        ("many", "must be a whole number"),
        ("yes", "must be a whole number"),
    ],
)
def test_a_limit_of_nothing_or_less_is_refused(
    kind: str, amount: str, why: str, tmp_path: Path
) -> None:
    (line,) = told(f"rules: [{{{kind}: {amount}}}]", tmp_path)
    column = 3 + len(f"rules: [{{{kind}: ")
    assert line.startswith(f"gateway.yaml:3:{column}: limits.rules.0.{kind}: ")
    assert why in line


@pytest.mark.parametrize(
    ("tier", "why"),
    [
        ("0", "must be at least 1"),
        ("6", "must be at most 5"),
        ("-1", "must be at least 1"),
        ("free", "must be a whole number"),
        ("2.5", "must be a whole number"),
    ],
)
def test_a_tier_that_does_not_exist_is_refused(tier: str, why: str, tmp_path: Path) -> None:
    (line,) = told(f"tier: {tier}", tmp_path)
    assert line.startswith("gateway.yaml:3:9: limits.tier: ")
    assert why in line


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("'redis://:FAKEPASS@cache'", "holds a password; give it by reference"),
        ("'rediss://gw:FAKEPASS@cache/0'", "holds a password"),
        ("'redis+sentinel://gw:FAKEPASS@a,b/main'", "holds a password"),
        ("'rediss+sentinel://a/main?sentinel_password=FAKEPASS'", "holds a password"),
        ("'redis+cluster://gw:FAKEPASS@a,b'", "holds a password"),
        ("'redis://cache?password=FAKEPASS'", "an option that is not known"),
        ("env:OTHER_STORE", "is none of memory, redis, rediss, redis+sentinel"),
        ("env:NONSENSE", "names no service"),
        ("env:NOWHERE", "NOWHERE is not set"),
        ("redis", "is none of memory"),
        ("Memory", "is none of memory"),
        ("''", "is none of memory"),
        ("'redis://'", "names no host"),
        ("'redis://cache:0'", "port 0"),
        ("'redis://cache:70000'", "a host or port that is none"),
        ("'redis://cache/first'", "no number of a database"),
        ("'redis://a,b'", "has several hosts"),
        ("'redis+sentinel://a,b'", "names no service"),
        ("'redis+cluster://a/3'", "names a database"),
        ("'http://cache'", "is none of memory"),
        ("'rediss://cache?ssl_ca_certs=/nowhere/ca.pem'", "ssl_ca_certs is no file"),
        ("6379", "must be a text"),
        ("[memory]", "must be a text"),
    ],
)
def test_a_store_that_is_none_is_refused(url: str, why: str, tmp_path: Path) -> None:
    (line,) = told(f"store: {url}", tmp_path)
    assert line.startswith("gateway.yaml:3:10: limits.store: ")
    assert why in line


@pytest.mark.parametrize(
    "url",
    [
        "memory",
        "redis://cache:6379/0",
        "rediss://gw@cache",
        "redis+sentinel://a,b:26380/main/2",
        "rediss+sentinel://a/main?sentinel_username=gw",
        "redis+cluster://a:1,b:2",
        "rediss+cluster://[::1]:7000",
    ],
)
def test_each_way_to_reach_a_store_may_be_written_down(url: str) -> None:
    found = read(f"keys: {{}}\nlimits:\n  store: '{url}'\n", ENV).config.limits.store
    assert (str(found), found.secret.reveal()) == (url, url)


@pytest.mark.parametrize("name", ["SINGLE", "SENTINELS", "CLUSTER"])
def test_one_with_a_password_is_given_by_reference_and_not_shown(name: str) -> None:
    found = read(f"keys: {{}}\nlimits: {{store: 'env:{name}'}}\n", ENV).config.limits.store
    assert found.secret.reveal() == URLS[name]
    assert "FAKEPASS" not in repr(found) + str(found)
