"""One answer: what follows a request on its line is the next one, or nobody's."""

from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidResponseHeader
from gunicorn.http.unreader import Unreader
from gunicorn.http.wsgi import Response

from jobs.web_answer import CONSTANT, OwnResponse, keep_settings, make_answer
from jobs.web_framing import BODY_AT_MOST, Incoming

NEXT = b"GET /console/ HTTP/1.1\r\nHost: funnel\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n"
POST = b"POST /webhook HTTP/1.1\r\nHost: funnel\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = b"x" * BODY_AT_MOST


def app(environ, start_response):
    """Read as much as anybody does, and refuse."""
    environ["wsgi.input"].read(1000)
    start_response("413 Content Too Large", [("Content-Length", "0")])
    return []


def refuse(request, client, address, fault):
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def answer(data: bytes):
    worker = SimpleNamespace(cfg=Config(), wsgi=app, alive=True, handle_error=refuse)
    here = ("127.0.0.1", 1)
    incoming = Incoming(data)
    assert incoming.is_whole
    return make_answer(
        worker, SimpleNamespace(client=here, server=here, incoming=incoming), incoming.as_parsed(), False
    )


@pytest.mark.parametrize(
    "whole",
    [
        b"GET / HTTP/1.1\r\nHost: funnel\r\n\r\n",
        POST + b"Content-Length: 3\r\n\r\nabc",
        POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000,
        CHUNKED + b"3;a=b\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    ],
)
@pytest.mark.parametrize("follows", [b"", NEXT, NEXT[:9]])
def test_after_a_whole_request_the_line_stays_and_what_follows_is_the_next(whole, follows):
    said = answer(whole + follows)
    assert said.data.startswith(b"HTTP/1.1 413 ") and said.stays and said.left == follows


@pytest.mark.parametrize(
    "half",
    [
        POST + b"Content-Length: 99000000\r\n\r\n" + LARGE,
        POST + b"Content-Length: 00000000000000000000000100\r\n\r\n",
        CHUNKED + b"f000000\r\n" + LARGE,
        CHUNKED + (b"2000\r\n" + b"x" * 8192 + b"\r\n") * (BODY_AT_MOST // 8192 + 1),
        CHUNKED + b"1\r\nx\r\n" * 10_000,
        CHUNKED + b"3\r\nabcXX0\r\n\r\n",
        CHUNKED + b"3;\n\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"0000000000003\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\nzz\r\n",
    ],
)
def test_where_the_next_request_begins_nobody_knows_the_line_ends_with_the_answer(half):
    """The rest of a body would be taken for a request, which behind a proxy is answered to somebody else."""
    said = answer(half + NEXT)
    assert said.data.startswith(b"HTTP/1.1 ") and not said.stays and said.left == b""


def test_a_body_in_many_small_chunks_is_read_as_one():
    """The parser copies what is left for each of them: a stranger's body of 360 KB took it half a minute."""
    whole = CHUNKED + b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in [b"ab", b"c", b"def"] * 3000)
    incoming = Incoming(whole + b"0\r\nX: y\r\n\r\n" + NEXT)
    assert incoming.is_whole
    assert incoming.as_parsed() == CHUNKED + b"4650\r\n" + b"abcdef" * 3000 + b"\r\n0\r\nX: y\r\n\r\n" + NEXT
    assert incoming.ends_at == len(whole) + len(b"0\r\nX: y\r\n\r\n")


@pytest.mark.parametrize("length", [0, 100_000, BODY_AT_MOST - 1])
def test_what_nobody_read_of_a_body_is_passed_over_in_a_few_pieces(monkeypatch, length):
    """The parser copies what is left for each: a stranger's 2 MB by kilobytes took it a third of a second."""
    pieces, read = [], Unreader.read

    def counted(unreader, *sizes, **more):
        pieces.append(sizes)
        return read(unreader, *sizes, **more)

    monkeypatch.setattr(Unreader, "read", counted)
    said = answer(POST + b"Content-Length: %d\r\n\r\n" % length + LARGE[:length] + NEXT)
    assert said.stays and said.left == NEXT and len(pieces) <= 6


def test_headers_that_are_always_there_are_such_as_gunicorn_takes_unchanged():
    headers = [("Content-Type", "text/plain"), *sorted(CONSTANT), ("Content-Length", "0"), ("Keep-Alive", "no")]
    judged, ours = Response(None, None, None), OwnResponse(None, None, None)
    judged.process_headers(headers)
    ours.process_headers(headers)
    assert sorted(ours.headers) == sorted(judged.headers) and ours.response_length == 0
    with pytest.raises(InvalidResponseHeader):
        ours.process_headers([("X-Said", "a\r\nSet-Cookie: b=c")])


@pytest.mark.parametrize(
    ("trusted", "peer", "scheme"),
    [
        ("", ("127.0.0.1", 1), "http"),
        ("127.0.0.1", ("127.0.0.1", 1), "https"),
        ("127.0.0.1", ("203.0.113.1", 1), "http"),
        ("", "a socket in the file system", "https"),
    ],
)
@pytest.mark.parametrize("keep", [keep_settings, id])
def test_only_proxies_that_gunicorn_is_told_of_are_believed(trusted, peer, scheme, keep):
    seen = []

    def look(environ, start_response):
        seen.append(environ["wsgi.url_scheme"])
        return app(environ, start_response)

    config = Config()
    config.set("forwarded_allow_ips", trusted)
    keep(config)
    incoming = Incoming(b"GET / HTTP/1.1\r\nHost: funnel\r\nX-Forwarded-Proto: https\r\n\r\n")
    worker = SimpleNamespace(cfg=config, wsgi=look, alive=True, handle_error=refuse)
    connection = SimpleNamespace(client=peer, server=("127.0.0.1", 2), incoming=incoming)
    assert make_answer(worker, connection, incoming.as_parsed(), False).stays
    assert seen == [scheme]
