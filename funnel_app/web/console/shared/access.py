"""Access: a name and CONSOLE_PASSWORD open the console for 12 hours; changes need the session's CSRF token.

A browser that has logged in before keeps a cookie and is rate-limited by itself: somebody else's wrong passwords from
the same address do not lock it out.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from urllib.parse import quote

from flask import (
    Flask,
    Request,
    Response,
    after_this_request,
    current_app,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized, UnprocessableEntity

from funnel_app.current import current_deps
from funnel_app.flows.console.sessions import close_session, is_closed
from funnel_app.rules.caller import caller_key, site_key
from funnel_app.web.auth import is_one_of

LASTS_FOR = timedelta(hours=12)
ROOT = "/console/"
OPEN = frozenset({"console.login", "console.try_login", "static", "rq_dashboard.static"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The throttle counts 30 a minute; at 3 a try, that is 10 tries for one address.
COST_OF_A_TRY = 3
LONGEST_NAME = 60
DEVICE = "funnel_device"
ASKED = "funnel.operator"
DEVICE_LASTS_FOR = timedelta(days=365)


class OldForm(Forbidden):
    """A form without this session's token: from an earlier login, or not from the console."""


class ConsoleSessions(SecureCookieSessionInterface):
    """Flask's sessions for the console only: hooks have none, and skip the cost."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a console request; None for any other."""
        return super().open_session(app, request) if request.path.startswith(ROOT) else None


def guard_console(app: Flask) -> None:
    """Require a login for everything under /console/, whichever blueprint answers, and scope the cookie to it."""
    app.config.update(
        SESSION_COOKIE_NAME="funnel_console",
        SESSION_COOKIE_PATH=ROOT,
        SESSION_COOKIE_HTTPONLY=True,
        # Lax rather than Strict: with Strict, a link from a chat arrives without the cookie, and the login page
        # replaces it.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=current_secure(app),
        PERMANENT_SESSION_LIFETIME=LASTS_FOR,
    )
    app.session_interface = ConsoleSessions()
    app.before_request(require_operator)


def current_secure(app: Flask) -> bool:
    """Say whether the console is served over https, so that its cookie must be Secure."""
    with app.app_context():
        return current_deps().settings.public_url.startswith("https:")


def operator() -> str | None:
    """Return the logged-in name; None without a login, after 12 hours, a logout or a changed password."""
    if ASKED not in request.environ:
        request.environ[ASKED] = _operator()
    found: str | None = request.environ[ASKED]
    return found


def _operator() -> str | None:
    since, name, session_id = session.get("since"), session.get("operator"), session.get("id")
    if not name or not since or not session_id or session.get("key") != _key():
        return None
    deps, began = current_deps(), datetime.fromisoformat(since)
    if deps.now() - began >= LASTS_FOR or is_closed(deps.reads, session_id, began):
        return None
    return str(name)


def log_in(name: str, password: str) -> bool:
    """Log in with a name and the password; False, in constant time, for a wrong one.

    Raises TooManyRequests for an address, or a known browser, after too many tries, right or wrong.
    """
    deps, device = current_deps(), _device()
    if wait := _wait(device):
        told = f"Too many tries to log in came from this address. Try again in {ceil(wait)} seconds."
        raise TooManyRequests(told, retry_after=ceil(wait))
    if not is_one_of(password, (deps.settings.console_password,)) or not name.strip():
        return False
    session.clear()
    session.permanent = True
    who = name.strip()[:LONGEST_NAME]
    session.update(operator=who, since=deps.now().isoformat(), key=_key(), id=secrets.token_urlsafe(16))
    request.environ[ASKED] = who
    after_this_request(lambda answer: _remember(answer, device or secrets.token_urlsafe(16)))
    return True


def _wait(device: str | None) -> float:
    """Count a try, and return the seconds until the next is allowed: for this browser, household and site."""
    hit, address = current_deps().throttle.hit, request.remote_addr
    if device:
        return hit("console-login", device, cost=COST_OF_A_TRY)
    waits = [hit("console-login", caller_key(address), cost=COST_OF_A_TRY)]
    site = site_key(address)
    return max(waits + ([hit("console-login", site)] if site else []))


def log_out() -> None:
    """Log this browser out, and any copy of its cookie."""
    close_session(current_deps(), operator() or "", session["id"])
    session.clear()
    request.environ[ASKED] = None


def _device() -> str | None:
    try:
        return str(_devices().loads(request.cookies.get(DEVICE, "")))
    except BadSignature:
        return None


def _remember(answer: Response, device: str) -> Response:
    answer.set_cookie(
        DEVICE,
        str(_devices().dumps(device)),
        max_age=DEVICE_LASTS_FOR,
        path=f"{ROOT}login",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return answer


def _devices() -> URLSafeSerializer:
    return URLSafeSerializer(current_deps().settings.session_key, salt=DEVICE)


def csrf_token() -> str:
    """Return the session's token for forms."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def safe_next(path: str) -> str:
    """Return where to go after the login: a page of the console, never another site."""
    return path if path.startswith(ROOT) and "//" not in path and "\\" not in path else ROOT


def require_operator() -> ResponseReturnValue | None:
    """Require a login with CONSOLE_PASSWORD, a form's token for changes, and words that a ledger can keep."""
    if not request.path.startswith(ROOT) and request.path != ROOT.rstrip("/"):
        return None
    # The login is checked first, so that a form reveals nothing either.
    if request.endpoint not in OPEN and operator() is None:
        return _ask_to_log_in()
    if request.method not in SAFE and not _has_token():
        raise OldForm("This form is too old, or did not come from the console. Load its page again and repeat.")
    if any("\0" in words for words in _said()):
        # PostgreSQL keeps none, and no person types one.
        raise UnprocessableEntity("What was sent holds a NUL, a character that no text has. Nothing was changed.")
    return None


def _said() -> Iterator[str]:
    """Go through all that a request says in words: its query, its form, and the names of its files."""
    yield from (value for _, value in request.args.items(multi=True))
    yield from (value for _, value in request.form.items(multi=True))
    yield from (file.filename or "" for _, file in request.files.items(multi=True))


def _ask_to_log_in() -> ResponseReturnValue:
    if request.method not in SAFE:
        raise Unauthorized(
            "Nothing was changed: you are not logged in, or your login is over. Log in, and do it again."
        )
    here = request.full_path.rstrip("?")
    login = f"{url_for('console.login')}?next={quote(here)}"
    if "HX-Request" in request.headers:
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = url_for("console.login")
        return answer
    return redirect(login, 303)


def _has_token() -> bool:
    given = request.form.get("csrf_token", "")
    return "csrf" in session and hmac.compare_digest(given.encode(), str(session["csrf"]).encode())


def _key() -> str:
    # A changed password logs everybody out, since signed cookies cannot be revoked.
    settings = current_deps().settings
    return hmac.new(settings.secret_key.encode(), settings.console_password.encode(), hashlib.sha256).hexdigest()[:32]
