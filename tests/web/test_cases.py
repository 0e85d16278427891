"""Payloads as the world sends them, one small file a case: who sends such, what is sent, and how it must end.

A case says of its end what was answered, planned, ended and counted, what is known of whom, and which fields were
refused or left out. Names and addresses are made up; `source` says where such a shape was seen.
"""

import codecs
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from funnel_app.ledger import bookings
from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent
from sandbox.signing import calendly_headers
from tests.apps import application
from tests.factories import CALCOM_KEY, CALENDLY_KEY, make_deps
from tests.web.calendars import CALCOM, CALENDLY, calcom_headers
from tests.web.callers import BEARER, SIGNUP

CASES = {file.stem: json.loads(file.read_text()) for file in sorted((Path(__file__).parent / "cases").glob("*.json"))}
FEWEST = 60
PATHS = {"website": SIGNUP, "calendly": CALENDLY, "calcom": CALCOM}
WRAPPED = {
    "utf-8-sig": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "latin-1": lambda text: text.encode("latin-1"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "json text": lambda text: json.dumps(text).encode(),
    "list": lambda text: f"[{text}]".encode(),
}


def body_of(call: dict[str, Any]) -> bytes:
    text = call["raw"] if "raw" in call else json.dumps(call["payload"], ensure_ascii=False)
    return WRAPPED[call["as"]](text) if "as" in call else text.encode()


def send(client, now: float, call: dict[str, Any]):
    body, sender = body_of(call), call.get("from", "website")
    proofs = {
        "website": lambda: BEARER,
        "calendly": lambda: calendly_headers(CALENDLY_KEY, int(now), body),
        "calcom": lambda: calcom_headers(CALCOM_KEY, body),
    }
    headers = {**proofs[sender](), **call.get("headers", {})}
    content_type = call.get("content_type", "application/json")
    path, method = call.get("path", PATHS[sender]), call.get("method", "POST")
    return client.open(path, method=method, data=body, headers=headers, content_type=content_type)


def found_of(deps, answers: list) -> dict[str, Any]:
    """Return all that a case may say of its end."""
    with deps.reads() as session:
        hooks = list(session.scalars(select(HookEvent).order_by(HookEvent.received_at, HookEvent.id)))
        people = list(session.scalars(select(Contact)))
        waiting = select(Enrolment.sequence).join(Email).where(Email.state == "planned")
        planned = Counter(session.scalars(waiting))
        counted = bookings.count(session, "christmas", "live")
    ended = [row["sequence"] for answer in answers for row in (answer.json or {}).get("ended", [])]
    return {
        "answers": [[answer.status_code, (answer.json or {}).get("status")] for answer in answers],
        "planned": dict(planned),
        "ended": sorted(ended),
        "counted": counted,
        "people": {person.email_norm: {**person.properties, **vars(person)} for person in people},
        "refused": [sorted(hook.errors) for hook in hooks if hook.outcome == "refused"],
        "left_out": sorted({name for hook in hooks if hook.outcome != "refused" for name in hook.errors or {}}),
    }


def said(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return of what was found only what a case speaks of: of people all addresses, and of each the named facts."""
    told = {name: found[name] for name in expected}
    if "people" in expected:
        told["people"] = {
            address: {name: facts.get(name) for name in expected["people"].get(address, {})}
            for address, facts in found["people"].items()
        }
    return told


@pytest.mark.parametrize("name", CASES)
def test_a_real_payload_ends_as_it_must(sqlite, name):
    case, deps = CASES[name], make_deps(sqlite, testing_mode=False)
    client = application(deps).test_client()
    answers = [send(client, deps.now().timestamp(), call) for call in case["calls"]]
    assert said(case["ends"], found_of(deps, answers)) == case["ends"]


def test_every_case_says_where_such_was_seen_and_how_it_ends():
    assert len(CASES) >= FEWEST
    for name, case in CASES.items():
        assert case["rule"].endswith(".") and case["source"], name
        assert {"answers", "planned"} <= set(case["ends"]), name
        assert "@gmail" not in json.dumps(case), f"{name} names a real provider's mailbox"
