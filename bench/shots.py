"""Hostile requests of strangers and of broken callers: endless, and reproducible by seed."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.broken_http import broken_requests

OURS = (
    *(f"/webhook/christmas/{hook}" for hook in ("signup", "noshow", "maybe", "onboarding", "booking")),
    "/webhook/christmas-signup",
    "/webhook/signup",
    "/webhook/assessment",
    "/webhook/calendly-noshow",
    "/webhook/postcall-maybe",
    "/webhook/onboarding-start",
)
SIGNED = {
    "/webhook/christmas/calendly": "Calendly-Webhook-Signature",
    "/webhook/christmas/calcom": "X-Cal-Signature-256",
    "/webhook/calcom-booking": "X-Cal-Signature-256",
    "/webhook/resend": "svix-signature",
}
DEPLOYMENT = "/api/deployments/1ae3a3b3-e076-49c5-9b08-9c176aa47aa0/create_flow_run"
HOOKS = (*OURS, *SIGNED, DEPLOYMENT, f"/k/guessed-key-of-a-stranger{DEPLOYMENT}")
KNOWN = (*OURS, DEPLOYMENT)
JSON = {"Content-Type": "application/json"}
LINKS = (
    "https://evil.example",
    "www.evil.example/win",
    "Ana http://evil.example",
    "evil.com/free",
    "evil.example/free",
    "ana@evil.example",
)
NUMBERS = ("Call +1 888 555 0100", "Ana (416) 555-0100 now", "Ana\r\nTel. 416 555 0100", "\u202eanA 4165550100")
ADDRESSES = ("ana", "ana@", "@resend.dev", "ana@resend.dev\r\nBcc: x@evil.example", "a" * 300 + "@resend.dev", "", " ")
ODD: tuple[Any, ...] = (None, True, [], {}, 0, -1, 1e308, "x" * 5000, ["ana@resend.dev"], {"$gt": ""}, "' OR 1=1 --")
ZONES = ("../../etc/passwd", "America/Nowhere", "A" * 4000, "\x00", "/", ".")
EVIDENCE: tuple[Any, ...] = ("yes", [1], True, {"at": "x"}, {"ip": "1.2.3"})
TIMES: tuple[Any, ...] = (
    "2026-12-01T10:00:00",
    "never",
    "9999-12-31T23:59:59Z",
    "0000-00-00",
    "2026-12-01T10:00:00+99:00",
    1e308,
    [],
)
TIMED = {"noshow": "scheduled_time", "maybe": "call_date", "onboarding": "payment_date", "booking": "meeting_time"}
TYPES = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "", "json; \xff")


@dataclass(frozen=True)
class Shot:
    """One request; `raw` replaces everything else if the HTTP itself is malformed."""

    kind: str
    method: str = "POST"
    path: str = "/webhook/christmas/signup"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes | None = None


def strangers(rng: Random) -> Iterator[Shot]:
    """Yield requests without authentication, from many addresses, endlessly."""
    makers = (_no_proof, _wrong_bearer, _wrong_signature, _no_proof_and_broken, _guessed, _wrong_method, _bad_http)
    while True:
        shot = rng.choice(makers)(rng)
        # Many addresses, so that proofs are looked at; and a few that go on, so that they are throttled.
        address = rng.choice((f"198.18.{rng.randrange(256)}.{rng.randrange(256)}", f"198.19.0.{rng.randrange(9)}"))
        yield Shot(shot.kind, shot.method, shot.path, {"X-Forwarded-For": address, **shot.headers}, shot.body, shot.raw)


def broken_callers(rng: Random, secret: str) -> Iterator[Shot]:
    """Yield authenticated requests that must never enter the funnel, endlessly."""
    forms = (_broken_json, _wrong_type, _deep, _huge, _hostile_header, _wrong_place)
    makers = (*forms, _hostile_name, _hostile_field, _hostile_time)
    while True:
        shot = rng.choice(makers)(rng)
        headers = {"Authorization": f"Bearer {secret}", **JSON, **shot.headers}
        yield Shot(shot.kind, shot.method, shot.path, headers, shot.body)


def person(rng: Random, **changed: Any) -> dict[str, Any]:
    """Return a payload that is valid for every hook, with these changes."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    right = {
        "email": f"stranger-{rng.randrange(10**9)}@resend.dev",
        "first_name": "Ana",
        **dict.fromkeys(("scheduled_time", "call_date", "payment_date", "meeting_time"), now),
        "calendly_event_id": f"E{rng.randrange(10**9)}",
        "payment_confirmed": True,
    }
    return {**right, **changed}


def _json(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def _no_proof(rng: Random) -> Shot:
    return Shot("no proof", path=rng.choice(HOOKS), headers=JSON, body=_json(person(rng)))


def _wrong_bearer(rng: Random) -> Shot:
    token = rng.choice(
        ("", "x", "Bearer", "\xff" * 40, "a" * 4000, f"{rng.randrange(2**128):032x}", "null", "' OR 1=1")
    )
    scheme = rng.choice(("Bearer ", "bearer\t", "Basic ", "Token ", ""))
    return Shot("wrong bearer", path=rng.choice(HOOKS), headers={**JSON, "Authorization": scheme + token}, body=b"{}")


def _wrong_signature(rng: Random) -> Shot:
    at, digest = int(time.time()) + rng.choice((0, -(10**6), 10**9)), f"{rng.randrange(2**256):064x}"
    forms = (
        f"t={at},v1={digest}",
        f"v1={digest}",
        f"sha256={digest}",
        digest,
        "t=,v1=",
        "t=" + "9" * 400,
        f"v1,{digest}",
    )
    path = rng.choice((*OURS, *SIGNED))
    headers = {**JSON, SIGNED.get(path, "X-Funnel-Signature"): rng.choice(forms)}
    if path == "/webhook/resend":
        headers |= {"svix-id": "msg_1", "svix-timestamp": rng.choice((str(at), "", "NaN", "9" * 30))}
    return Shot("wrong signature", path=path, headers=headers, body=_json(person(rng)))


def _no_proof_and_broken(rng: Random) -> Shot:
    broken = rng.choice((_broken_json, _wrong_type, _deep, _huge))(rng)
    headers = {**JSON, **broken.headers}
    return Shot("no proof, broken", path=rng.choice(HOOKS), headers=headers, body=broken.body)


def _guessed(rng: Random) -> Shot:
    guess = rng.choice(
        (f"{rng.randrange(2**256):064x}", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "a" * 3000, "{{7*7}}")
    )
    place = rng.choice(("/u/", "/k/", "/docs/", "/assets/", "/webhook/", "/api/flow_runs/", "/", "/console/"))
    return Shot("guessed path", rng.choice(("GET", "POST")), place + guess.replace("{", "%7B"), JSON, b"{}")


def _wrong_method(rng: Random) -> Shot:
    method = rng.choice(("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"))
    return Shot("wrong method", method, rng.choice(HOOKS), JSON)


def _bad_http(rng: Random) -> Shot:
    path = rng.choice(HOOKS)
    return Shot("broken HTTP", path=path, raw=rng.choice(broken_requests(path)).encode("latin-1"))


def _broken_json(rng: Random) -> Shot:
    right = _json(person(rng))
    forms = (
        right[: rng.randrange(len(right))],
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"42",
        b"NaN",
        b"{'a': 1}",
        b"\xff\xfe\x00",
    )
    values = (b'{"email": "\\ud800@resend.dev"}', b'{"email": Infinity}', b'{"red_systems": ' + b"9" * 5000 + b"}")
    return Shot("broken JSON", path=rng.choice(KNOWN), body=rng.choice((*forms, *values, rng.randbytes(200))))


def _wrong_type(rng: Random) -> Shot:
    headers = {"Content-Type": rng.choice(TYPES)}
    # Under another type too, JSON would be read; neither JSON nor a form's fields are in this.
    return Shot(
        "wrong content type", path=rng.choice(KNOWN), headers=headers, body=b"<email>stranger@resend.dev</email>"
    )


def _deep(rng: Random) -> Shot:
    depth = rng.choice((21, 100, 1_000, 9_000))
    body = rng.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth))
    return Shot("deep nesting", path=rng.choice(OURS), body=b'{"email": "stranger@resend.dev", "deep": ' + body + b"}")


def _huge(rng: Random) -> Shot:
    size = rng.choice((64 * 1024, 100_000, 1_000_000))
    path, body = rng.choice(KNOWN), _json(person(rng, utm_source="FILLING"))
    # Filled in afterwards: to look through a megabyte for what JSON escapes takes longer than to send it.
    return Shot("huge body", path=path, body=body.replace(b"FILLING", b"x" * size))


def _hostile_name(rng: Random) -> Shot:
    name = rng.choice((*LINKS, *NUMBERS))
    return Shot("hostile name", path=rng.choice(KNOWN[:-1]), body=_json(person(rng, first_name=name)))


def _hostile_field(rng: Random) -> Shot:
    # What a call can do without refuses nothing: it goes along, as odd as it is.
    odd = {"timezone": rng.choice(ZONES), "consent": rng.choice(EVIDENCE), "utm_source": rng.choice(ODD)}
    address = rng.choice((*ADDRESSES, *ODD))
    return Shot("hostile field", path=rng.choice(OURS), body=_json(person(rng, email=address, **odd)))


def _hostile_time(rng: Random) -> Shot:
    hook, name = rng.choice(list(TIMED.items()))
    return Shot("hostile time", path=f"/webhook/christmas/{hook}", body=_json(person(rng, **{name: rng.choice(TIMES)})))


def _hostile_header(rng: Random) -> Shot:
    headers = rng.choice(
        (
            {"Idempotency-Key": "k" * 300},
            {"X-Request-Id": "\xff" * 60, "Idempotency-Key": "k" * 256},
            {"X-HTTP-Method-Override": "DELETE", "Idempotency-Key": "\xe9" * 280},
            {"X-Funnel-Signature": "t=1,v1=" + "0" * 64},
        )
    )
    return Shot("hostile header", path=rng.choice(OURS), headers=headers, body=_json(person(rng)))


def _wrong_place(rng: Random) -> Shot:
    campaign = rng.choice(("easter", "..", "%00", "christmas%2f..", "c" * 500, "%F0%9F%8E%84"))
    return Shot("wrong campaign", path=f"/webhook/{campaign}/signup", body=_json(person(rng)))
