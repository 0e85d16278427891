"""Authentication of callers. Comparisons take constant time, and each secret may be two during a rotation."""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence

from flask import g, request
from werkzeug.exceptions import BadRequest, NotFound, Unauthorized

from funnel_app.current import current_deps
from funnel_app.setting_checks import parts_of
from funnel_app.web.note_hops import note_hops
from funnel_app.web.replays import is_replay

SIGNATURE = re.compile(r"t=(?P<t>\d{1,12}),v1=(?P<v1>[0-9a-f]{64})")
DIGEST = re.compile("[0-9a-f]{64}")
SIGNED_WITHIN_S = 300

Genuine = Callable[[str, Sequence[str]], bool]


def require_caller() -> None:
    """Require HOOK_SECRET as a bearer token, or a signature made with it; 401 otherwise."""
    if is_replay():
        note_proof()
        return
    secrets = current_deps().settings.hook_secrets
    signature = request.headers.get("X-Funnel-Signature")
    if signature is not None:
        if not is_signed(signature, secrets, SIGNED_WITHIN_S):
            raise Unauthorized("X-Funnel-Signature does not fit: t=<unix time>,v1=<HMAC-SHA256 of t.body>, 5 minutes.")
        note_proof()
        return
    require_bearer()


def require_calendar(name: str, setting: str, keys: Sequence[str], header: str, is_genuine: Genuine) -> None:
    """Require a calendar's signature under one of the keys; 404 if none is set, 401 if it does not fit."""
    if not is_replay():
        if not keys:
            raise NotFound(f"{name}'s events are not taken here: {setting} is not set.")
        if not is_genuine(request.headers.get(header, ""), keys):
            raise Unauthorized(f"{header} does not fit {setting}.")
    note_proof()


def require_bearer() -> None:
    """Require HOOK_SECRET as a bearer token; 401 otherwise."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not is_one_of(token.strip(), current_deps().settings.hook_secrets):
        raise Unauthorized("Send HOOK_SECRET as a bearer token: Authorization: Bearer <secret>.")
    note_proof()


def note_proof() -> None:
    """Record that the caller is authenticated: its payload is kept from now on, even if unusable."""
    request.get_data()
    g.is_authenticated = True
    if not is_replay():
        note_hops()


def is_authenticated() -> bool:
    """Say whether the caller of this request is authenticated."""
    return bool(g.get("is_authenticated"))


def has_metrics_token() -> bool:
    """Say whether the caller has METRICS_TOKEN, one of up to two; False if none is set.

    Raises Unauthorized for a wrong one, so that attempts are counted everywhere.
    """
    tokens = parts_of(current_deps().settings.metrics_token)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not tokens or not given:
        return False
    if scheme.lower() != "bearer" or not is_one_of(given.strip(), tokens):
        raise Unauthorized("Send METRICS_TOKEN as a bearer token.")
    return True


def is_signed(signature: str, secrets: Sequence[str], within_s: float) -> bool:
    """Say whether `t=…,v1=…` is a recent HMAC-SHA256 of `t.` and the body under one of the secrets.

    Clocks differ, so a time in the future is accepted within the same limit. The body is read only for a well-formed,
    recent signature, so that an unauthenticated caller cannot make us wait for one.
    """
    found = SIGNATURE.fullmatch(signature.strip())
    if found is None or not -SIGNED_WITHIN_S <= signed_age_s(signature) <= within_s:
        return False
    signed = found["t"].encode() + b"." + request.get_data()
    return is_one_of(found["v1"], [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets])


def is_signed_body(digest: str, keys: Sequence[str]) -> bool:
    """Say whether a text is the body's HMAC-SHA256 under one of the keys; the body is read only if well-formed."""
    if DIGEST.fullmatch(digest) is None:
        return False
    body = request.get_data()
    return is_one_of(digest, [hmac.new(key.encode(), body, hashlib.sha256).hexdigest() for key in keys])


def signed_age_s(signature: str) -> float:
    """Return the age of a valid signature in seconds."""
    found = SIGNATURE.fullmatch(signature.strip())
    return current_deps().now().timestamp() - int(found["t"]) if found else 0.0


def require_json() -> None:
    """Require a JSON object; 415 for another content type, 400 for anything else or unreadable JSON."""
    if request.method != "POST":
        return
    payload = request.get_json()
    if not isinstance(payload, dict):
        raise BadRequest("The payload must be a JSON object.")
    g.payload = payload


def is_one_of(given: str, secrets: Sequence[str]) -> bool:
    """Say whether a text is one of the secrets, in a time that reveals nothing, not even their lengths."""
    matches = [hmac.compare_digest(_hash(given), _hash(secret)) for secret in secrets]
    return any(matches)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
