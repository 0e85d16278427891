"""Frames on the pipe to the judging process: JSON with a length prefix, never code."""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any

from funnel_app.letters.letter import Envelope
from funnel_app.letters.problem import Problem
from funnel_app.letters.render import Parts
from funnel_app.letters.validation.draft import Draft, Sample, Verdict

_LENGTH = struct.Struct(">I")


def pack(message: Mapping[str, Any]) -> bytes:
    """Return a message as a frame; values without a JSON form become text."""
    body = json.dumps(message, default=str).encode()
    return _LENGTH.pack(len(body)) + body


def read_frame(stream: IO[bytes]) -> dict[str, Any] | None:
    """Return the next message; None at EOF."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return dict(json.loads(body)) if len(body) == length else None


def draft_out(draft: Draft) -> dict[str, Any]:
    """Return a draft as plain data."""
    # Not dataclasses.asdict: it copies every value of every sample, which takes ten times as long.
    samples = [{**vars(each), "envelope": vars(each.envelope)} for each in draft.samples]
    return {**vars(draft), "known": sorted(draft.known), "samples": samples}


def draft_in(data: Mapping[str, Any]) -> Draft:
    """Return a draft from plain data."""
    samples = (Sample(each["name"], each["values"], Envelope(**each["envelope"])) for each in data["samples"])
    written = (data["subject"], data["html"], data["status"])
    return Draft(*written, frozenset(data["known"]), tuple(samples), tuple(data["blocks"]), data["layout"])


def verdict_out(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data."""
    return asdict(verdict)


def verdict_in(data: Mapping[str, Any]) -> Verdict:
    """Return a verdict from plain data."""
    problems = tuple(Problem(**each) for each in data["problems"])
    parts = Parts(**data["parts"]) if data["parts"] else None
    return Verdict(problems, parts, data["read_as"], data["html"])
