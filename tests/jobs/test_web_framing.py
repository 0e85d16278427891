"""How much of a request has come: never too little; what breaks the rules counts as whole, for the parser to judge."""

import pytest

from jobs.web_framing import BODY_AT_MOST, CHUNKS_AT_MOST, Incoming

POST = b"POST /webhook HTTP/1.1\r\nHost: funnel\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def of_length(length: object, body: bytes = b"") -> bytes:
    return POST + f"Content-Length: {length}\r\n\r\n".encode() + body


WHOLE = {
    "no body": b"GET / HTTP/1.1\r\n\r\n",
    "a body of its length": of_length(3, b"abc"),
    "a length of nothing": of_length(0),
    "a name in capitals": POST + b"CONTENT-LENGTH:3\r\n\r\nabc",
    "more than anybody reads": of_length(10**9, b"x" * BODY_AT_MOST),
    "chunks": CHUNKED + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
    "chunks with an extension and a trailer": CHUNKED + b"3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
    "one chunk that is too large": CHUNKED + b"ffffff\r\n" + b"x" * BODY_AT_MOST,
    "many chunks that are too large": CHUNKED
    + b"2000\r\n"
    + (b"x" * 8192 + b"\r\n2000\r\n") * (BODY_AT_MOST // 8192 + 1),
}
BROKEN = {
    "no head": b"\r\n\r\n",
    "a length below nothing": of_length(-1),
    "a length in words": of_length("abc"),
    "a length beyond all": of_length("9" * 30),
    "a chunk without a size": CHUNKED + b"xyz\r\n",
    "a size that never ends": CHUNKED + b"1" * (CHUNKS_AT_MOST + 1),
}


@pytest.mark.parametrize("request_", [*WHOLE.values(), *BROKEN.values()], ids=[*WHOLE, *BROKEN])
def test_what_is_whole_or_broken_is_handed_on(request_):
    assert Incoming(request_).is_whole


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE)
def test_byte_by_byte_it_is_whole_with_the_last_one_alone(request_):
    incoming = Incoming()
    step = 1 if len(request_) < 1000 else 997
    parts = [request_[start : start + step] for start in range(0, len(request_), step)]
    said = []
    for part in parts:
        incoming.feed(part)
        said.append(incoming.is_whole)
    assert said[-1] and (step > 1 or not any(said[:-1]))


@pytest.mark.parametrize(
    ("request_", "has_head"),
    [
        (b"POST / HTTP/1.1\r\nHost: f", False),
        (of_length(5, b"abc"), True),
        (CHUNKED + b"3\r\nab", True),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", True),
        (CHUNKED + b"fffff\r\nabc", True),
        (CHUNKED + b"3", True),
    ],
)
def test_what_is_not_all_there_is_waited_for(request_, has_head):
    incoming = Incoming(request_)
    assert incoming.has_head is has_head and not incoming.is_whole


UNKNOWN = {"more than anybody reads", "one chunk that is too large", "many chunks that are too large"}


@pytest.mark.parametrize("name", WHOLE)
def test_where_the_next_request_begins_is_known_only_where_all_of_this_one_is_here(name):
    incoming = Incoming(WHOLE[name] + b"GET /next")
    assert incoming.is_whole
    assert incoming.ends_at == (None if name in UNKNOWN else len(WHOLE[name]))


@pytest.mark.parametrize("request_", [of_length(5, b"abc"), CHUNKED + b"3\r\nab", *BROKEN.values()])
def test_of_half_a_request_or_a_broken_one_no_end_is_known(request_):
    incoming = Incoming(request_)
    assert incoming.is_whole in (True, False) and incoming.ends_at in (None, len(request_))


@pytest.mark.parametrize("word", [b"Expect: 100-continue", b"expect:100-Continue"])
def test_a_caller_that_waits_to_be_asked_is_known(word):
    assert Incoming(POST + word + b"\r\nContent-Length: 3\r\n\r\n").expects_continue
    assert not Incoming(of_length(3)).expects_continue
