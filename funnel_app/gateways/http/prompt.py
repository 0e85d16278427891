"""Prompt: a session whose timeout is of the whole response, and that tells whether a request left; through a proxy too.

A timeout of `requests` applies to each chunk, so an occasional byte would hold a caller for days:
https://requests.readthedocs.io/en/latest/user/advanced/#timeouts
"""

import io
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError


def prompt_session() -> requests.Session:
    """Return a session whose read timeout covers the whole response."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
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


class _Connecting:
    """A connection that reports any failure to connect, TLS and CONNECT included, as one never made."""

    def connect(self: Any) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, HTTPException, HTTPError) as error:
            raise NewConnectionError(self, str(error)) from error


class _Line(_Connecting, HTTPConnection):
    response_class = PromptResponse


class _SecureLine(_Connecting, HTTPSConnection):
    response_class = PromptResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureLine


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        _use_ours(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **more: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **more)
        _use_ours(manager)
        return manager


def _use_ours(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
