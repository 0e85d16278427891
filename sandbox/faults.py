"""Scripted misbehaviour that both stand-ins share: waiting, refusing, cutting the line."""

import socket

from flask import Response, request

from sandbox.settings import Fault
from sandbox.state import Sandbox


def cut_line() -> Response:
    """Close the connection without an answer; what is returned is written to a socket that is already shut."""
    line: socket.socket | None = request.environ.get("werkzeug.socket")
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)
    return Response("", 502)


def foreign_answer(fault: Fault) -> Response:
    """Answer as a proxy in between would: a page, no JSON."""
    return Response(fault.body, fault.status or 502, content_type="text/html")


def refusal(sandbox: Sandbox, fault: Fault) -> Response | None:
    """Wait as the fault says; return the answer where it needs no words of the API, else None."""
    sandbox.pause(fault.hang_s)
    if fault.body is not None:
        return foreign_answer(fault)
    return cut_line() if fault.drop or (fault.hang_s and not fault.status) else None
