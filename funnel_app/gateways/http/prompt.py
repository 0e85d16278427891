"""Prompt: a session with a timeout for the whole response, however slowly it arrives.

A timeout of `requests` applies to each chunk, so an occasional byte would hold a caller for days:
https://requests.readthedocs.io/en/latest/user/advanced/#timeouts
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


def prompt_session() -> requests.Session:
    """Return a session whose read timeout covers the whole response."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PromptAdapter())
    return session


class _InTime(io.RawIOBase):
    """A socket that can be read until a deadline."""

    def __init__(self, raw: io.RawIOBase, line: socket.socket, within_s: float) -> None:
        self._raw, self._line, self._within_s = raw, line, within_s
        self._ends_at = time.monotonic() + within_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not whole in time")
        self._line.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        # The next call on this connection has its full timeout again.
        if not self.closed and self._line.fileno() != -1:
            self._line.settimeout(self._within_s)
        self._raw.close()
        super().close()


class PromptResponse(HTTPResponse):
    """A response whose every byte counts towards its connection's read timeout."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        if within_s := sock.gettimeout():
            self.fp = io.BufferedReader(_InTime(self.fp.detach(), sock, within_s))


class _Line(HTTPConnection):
    response_class = PromptResponse


class _SecureLine(HTTPSConnection):
    response_class = PromptResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureLine


class _PromptAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
