"""Scripted faults that both stand-ins share: delays, refusals, cut connections."""

import socket

from flask import Response, request

from sandbox.settings import Fault
from sandbox.state import Sandbox


def cut_line() -> Response:
    """Close the connection without an answer; the returned value is written to a closed socket."""
    line: socket.socket | None = request.environ.get("werkzeug.socket")
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)
    return Response("", 502)


def foreign_answer(fault: Fault) -> Response:
    """Answer as a proxy would: HTML instead of JSON."""
    return Response(fault.body, fault.status or 502, content_type="text/html")


def refusal(sandbox: Sandbox, fault: Fault) -> Response | None:
    """Wait as the fault says; return the answer where it needs no words of the API, else None."""
    sandbox.pause(fault.hang_s)
    if fault.body is not None:
        return foreign_answer(fault)
    return cut_line() if fault.drop or (fault.hang_s and not fault.status) else None
