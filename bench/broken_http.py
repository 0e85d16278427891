"""Malformed HTTP, which a server must neither accept nor crash on."""


def broken_requests(path: str) -> tuple[str, ...]:
    """Return malformed requests for a path, to be sent as Latin-1 bytes.

    None has an unknown transfer coding: RFC 9112, section 6.1, asks for a 501 there.
    """
    start = f"POST {path} HTTP/1.1\r\nHost: funnel\r\n"
    return (
        f"{start}X-Forwarded-For: 1\r\n Injected: yes\r\n\r\n",
        f"{start}X-Request-Id: a\nInjected: yes\r\nContent-Length: 0\r\n\r\n",
        f"{start}Bad Header: 1\r\n\r\n",
        f"{start}X-Null: \x00\r\n\r\n",
        f"{start}Content-Length: 2\r\nContent-Length: 200\r\n\r\n{{}}",
        f"{start}Content-Length: -1\r\n\r\n",
        f"{start}Content-Length: 99\r\nContent-Type: application/json\r\n\r\n{{}}",
        f"{start}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        f"{start}Transfer-Encoding: chunked\r\n\r\nZZ\r\nno\r\n",
        f"{start}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}no end\r\n0\r\n\r\n",
        f"{start}Transfer-Encoding: chunked\r\n\r\n50\r\ncut off",
        f"{start}Transfer-Encoding: chunked\r\n\r\n-2\r\n{{}}\r\n0\r\n\r\n",
        f"{start}X-Long: {'a' * 20_000}\r\n\r\n",
        start + "".join(f"X-{n}: 1\r\n" for n in range(200)) + "\r\n",
        f"GET /{'a' * 9_000} HTTP/1.1\r\nHost: funnel\r\n\r\n",
        f"POST {path} HTTP/9.9\r\n\r\n",
        f"POST http://evil.example{path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS",
        "\r\n\r\n\r\n",
    )
