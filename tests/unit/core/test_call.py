"""A call starts refused, and its request's headers are found and changed whatever their case."""

from openai_gateway.core.call import Call, Found, Request, new_id


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request("GET", "api.openai.com", b"/v1/models?limit=2", list(headers))


def test_a_new_call_is_not_admitted_and_knows_no_key() -> None:
    call = Call(request())
    assert not call.admitted
    assert (call.key, call.endpoint, call.outcome) == ("unknown", "unknown", "error")
    assert call.credential is None
    assert call.departing is None


def test_ids_sort_by_time_and_differ_at_one_time() -> None:
    assert new_id(1_000_000.0) < new_id(1_000_000.002)
    assert len({new_id(5.0) for _ in range(100)}) == 100
    assert Call(request(), started_at=1.0).id.startswith("gw_0000000003e8")


def test_the_path_is_without_its_query() -> None:
    assert Call(request()).path == "/v1/models"


def test_headers_are_read_without_regard_to_case_in_order() -> None:
    asked = request((b"X-A", b"1"), (b"b", b"2"), (b"x-a", b"3"))
    assert asked.values(b"x-a") == [b"1", b"3"]
    assert asked.first(b"x-a") == b"1"
    assert asked.first(b"none") == b""


def test_put_leaves_one_value_and_drop_none() -> None:
    asked = request((b"X-A", b"1"), (b"b", b"2"), (b"x-a", b"3"))
    asked.put(b"X-a", b"4")
    assert asked.headers == [(b"b", b"2"), (b"X-a", b"4")]
    asked.drop(b"x-a", b"b")
    assert asked.headers == []


def test_nothing_of_a_client_shows_in_a_request_s_repr() -> None:
    asked = Request("POST", "h", b"/secret-target", [(b"a", b"secret-head")], b"secret-body")
    assert "secret" not in repr(Call(asked))


def test_findings_that_are_alike_are_counted_and_none_is_lost() -> None:
    call = Call(request())
    many, last = Found("many", "reported", "body"), Found("last", "blocked", "body")
    for _ in range(1000):
        call.note_found(many)
    call.note_found(last)
    assert call.leaks == ("many", "last")
    assert call.uncounted() == [(many, 1000), (last, 1)]
    assert call.uncounted() == []
    call.note_found(many)
    assert call.uncounted() == [(many, 1)]


def test_a_row_on_a_socket_takes_what_was_found_since_the_last_one() -> None:
    call, one = Call(request()), Found("one", "reported", "websocket")
    call.note_found(one)
    call.uncounted()
    call.note_found(one)
    row = call.on_socket()
    assert (row.found, row.uncounted()) == ({one: 2}, [(one, 1)])
    assert (call.found, call.uncounted()) == ({}, [])
