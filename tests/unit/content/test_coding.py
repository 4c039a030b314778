"""Codings are undone within a limit; whatever does not decode cleanly is refused."""

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.content.coding import Fault, decode

LIMIT = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


CODERS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"X-GZip", gzip.compress),
    "zlib": (b"deflate", zlib.compress),
    "raw deflate": (b"deflate", raw_deflate),
    "br": (b"br", brotli.compress),
    "zstd": (b"zstd", zstandard.compress),
    "zstd with checksum": (b"zstd", zstandard.ZstdCompressor(write_checksum=True).compress),
    "zstd without size": (b"zstd", zstandard.ZstdCompressor(write_content_size=False).compress),
}
BY_CODER = pytest.mark.parametrize("coder", CODERS)
DATA = zlib.compress(str([n * n for n in range(40_000)]).encode()) + b"a text " * 20_000


def fault(data: bytes, *names: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(Fault) as caught:
        decode(data, list(names), limit)
    return caught.value.code


@BY_CODER
@pytest.mark.parametrize("data", [b"", b"x", DATA], ids=["empty", "short", "long"])
def test_each_coding_is_undone(coder: str, data: bytes) -> None:
    name, pack = CODERS[coder]
    assert decode(pack(data), [name], LIMIT) == data


@given(st.binary(max_size=3000), st.sampled_from(sorted(CODERS)))
def test_what_was_packed_comes_back(data: bytes, coder: str) -> None:
    name, pack = CODERS[coder]
    assert decode(pack(data), [name], LIMIT) == data


@BY_CODER
@pytest.mark.parametrize("cut", [1, 2, 5, 1000])
def test_a_body_that_is_cut_short_is_unreadable(coder: str, cut: int) -> None:
    name, pack = CODERS[coder]
    assert fault(pack(DATA)[:-cut], name) == "gateway_unreadable_body"


@BY_CODER
@pytest.mark.parametrize("rest", [b"\0", b"x", b'{"model":"gpt-5"}', b"\0" * 200_000])
def test_bytes_behind_the_end_are_unreadable(coder: str, rest: bytes) -> None:
    name, pack = CODERS[coder]
    assert fault(pack(DATA) + rest, name) == "gateway_unreadable_body"


@pytest.mark.parametrize("name", [b"gzip", b"deflate", b"br", b"zstd"])
def test_what_is_not_packed_at_all_is_unreadable(name: bytes) -> None:
    assert fault(b'{"model": "gpt-5-mini"}', name) == "gateway_unreadable_body"


def test_gzip_members_are_read_one_after_the_other() -> None:
    assert decode(gzip.compress(b"one") + gzip.compress(b"two"), [b"gzip"], LIMIT) == b"onetwo"


def test_a_second_zstd_frame_is_unreadable() -> None:
    two = zstandard.compress(b"one") + zstandard.compress(b"two")
    assert fault(two, b"zstd") == "gateway_unreadable_body"


def test_a_zstd_window_above_8_mib_is_unreadable() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=wide)
    stream = packer.compressobj()
    packed = stream.compress(b"x" * 100) + stream.flush()
    assert fault(packed, b"zstd") == "gateway_unreadable_body"


@pytest.mark.parametrize(
    "names",
    [[b"compress"], [b"aes128gcm"], [b"gzip, gzip"], [b"gzip", b"br"], [b"gzip;q=1"], [b"*"]],
)
def test_unknown_and_stacked_codings_are_refused(names: list[bytes]) -> None:
    assert fault(gzip.compress(b"x"), *names) == "gateway_unsupported_encoding"


@pytest.mark.parametrize("names", [[], [b""], [b"identity"], [b" Identity , identity"]])
def test_a_plain_body_is_the_same_object(names: list[bytes]) -> None:
    data = b"a plain body" * 10
    assert decode(data, names, LIMIT) is data


def test_an_empty_body_needs_no_coding() -> None:
    assert decode(b"", [b"gzip"], LIMIT) == b""


@BY_CODER
def test_the_limit_holds_for_what_comes_out_to_the_byte(coder: str) -> None:
    name, pack = CODERS[coder]
    assert len(decode(pack(b"a" * LIMIT), [name], LIMIT)) == LIMIT
    assert fault(pack(b"a" * (LIMIT + 1)), name) == "gateway_body_too_large"


def test_the_limit_holds_for_what_comes_in() -> None:
    assert fault(b"x" * (LIMIT + 1)) == "gateway_body_too_large"


@BY_CODER
def test_a_bomb_costs_neither_memory_nor_time(coder: str) -> None:
    name, pack = CODERS[coder]
    bomb = pack(bytes(100 << 20))
    assert len(bomb) < LIMIT
    tracemalloc.start()
    began = time.process_time()
    code = fault(bomb, name)
    took = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == "gateway_body_too_large"
    assert took < 0.2
    assert peak < 4 * LIMIT


def test_a_flood_of_empty_gzip_members_is_cut() -> None:
    """Each costs a copy of what follows: 10 MB of them would hold a thread for a minute."""
    flood = gzip.compress(b"", mtime=0) * 50_000
    before = time.process_time()
    assert fault(flood, b"gzip") == "gateway_unreadable_body"
    assert time.process_time() - before < 1.0
