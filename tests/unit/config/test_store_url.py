"""What a URL of `limits.store` means, and that no complaint about it shows a password."""

from pathlib import Path

import pytest

from openai_gateway.config.store_url import Address, Login, StoreUrlFault, parse, read
from openai_gateway.core.secret import Secret

NOBODY = Login(None, None)


def one(host: str = "cache", port: int = 6379, db: int = 0) -> Address:
    return Address("single", False, ((host, port),), "", db, NOBODY, NOBODY, {})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", one()),
        ("redis://cache/", one()),
        ("redis://cache:7000/3", one(port=7000, db=3)),
        ("redis://[::1]:7000", one("::1", 7000)),
        (
            "redis://:p%40ss@cache",
            Address(
                "single", False, (("cache", 6379),), "", 0,
                Login(None, Secret("p@ss")), NOBODY, {},
            ),
        ),
        (
            "rediss://gw:FAKE@cache:6380/0?ssl_ca_certs=/etc/ca.pem",
            Address(
                "single", True, (("cache", 6380),), "", 0,
                Login("gw", Secret("FAKE")), NOBODY, {"ssl_ca_certs": "/etc/ca.pem"},
            ),
        ),
        (
            "redis+sentinel://gw:FAKE@a:1,b,c:3/main/2?sentinel_password=FAKE2",
            Address(
                "sentinel", False, (("a", 1), ("b", 26379), ("c", 3)), "main", 2,
                Login("gw", Secret("FAKE")), Login(None, Secret("FAKE2")), {},
            ),
        ),
        (
            "rediss+cluster://a:1,b:2",
            Address("cluster", True, (("a", 1), ("b", 2)), "", 0, NOBODY, NOBODY, {}),
        ),
    ],
)  # fmt: skip
def test_urls_say_where_the_store_is(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("memcached://user:FAKEPASS@cache", "is none of memory"),
        ("redis://user:FAKEPASS@", "names no host"),
        ("redis://user:FAKEPASS@[::1", "is no URL"),
        ("redis://user:FAKEPASS@cache:port", "host or port"),
        ("redis://user:FAKEPASS@cache:70000", "host or port"),
        ("redis://user:FAKEPASS@a,b", "several hosts"),
        ("redis://user:FAKEPASS@cache/main", "no number of a database"),
        ("redis://user:FAKEPASS@cache/1/2", "no number of a database"),
        ("redis+sentinel://user:FAKEPASS@a", "names no service"),
        ("redis+cluster://user:FAKEPASS@a/3", "a cluster has but one"),
        ("redis://user:FAKEPASS@cache?retry_on_timeout=true", "takes none here"),
        ("rediss://user:FAKEPASS@cache?ssl_cert_reqs=none", "known here: ssl_ca_certs"),
        ("redis://cache?password=FAKEPASS", "takes none here"),
        ("redis://user:FAKEPASS@cache:0", "port 0"),
        ("redis://user:FAKEPASS@cache/0#1", "write it as %23"),
        ("redis://user:FAKE#PASS@cache", "write it as %23"),
        ("redis://user:FAKEPASS@ca che", "names no host"),
        ("redis://user:FAKEPASS@cache//0", "no number of a database"),
        ("redis+sentinel://user:FAKEPASS@a,,b/main", "names no host"),
        ("redis+sentinel://user:FAKEPASS@a//0", "names no service"),
        ("redis+sentinel://user:FAKEPASS@a/main/x", "no number of a database"),
        ("cluster+redis://user:FAKEPASS@a", "is none of memory"),
        ("memory://user:FAKEPASS@a", "is none of memory"),
    ],
)
def test_a_bad_url_is_told_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(StoreUrlFault, match=r"^limits\.store: ") as raised:
        parse(url)
    assert complaint in str(raised.value)
    assert "FAKEPASS" not in repr(raised.value) + repr(raised.value.__cause__)


def test_an_address_shows_no_password() -> None:
    address = parse("redis+sentinel://gw:FAKEPASS@a/main?sentinel_password=FAKEPASS")
    assert "FAKEPASS" not in repr(address)


def test_what_must_never_be_shown_is_told() -> None:
    address = parse("redis+sentinel://gw:FAKE1@a/main?sentinel_password=FAKE2")
    assert [secret.reveal() for secret in address.passwords] == ["FAKE1", "FAKE2"]
    assert parse("redis://gw@cache").passwords == ()


def test_a_file_of_tls_that_is_not_there_is_told(tmp_path: Path) -> None:
    url = f"rediss://cache?ssl_ca_certs={tmp_path / 'ca.pem'}"
    with pytest.raises(StoreUrlFault, match=r"ssl_ca_certs is no file: .*/ca\.pem"):
        read(url)
    (tmp_path / "ca.pem").touch()
    assert read(url) == parse(url)
