"""Access: a name and CONSOLE_PASSWORD open the console for 12 hours; every change carries the session's token.

A browser from which somebody logged in keeps a sign of it, and has tries of its own: a stranger's wrong ones, from the
same address or through the same proxy, do not lock it out.
"""

import hashlib
import hmac
import secrets
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
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from funnel_app.current import current_deps
from funnel_app.flows.console.sessions import close_session, is_closed
from funnel_app.rules.caller import caller_key, site_key
from funnel_app.web.auth import is_one_of

LASTS_FOR = timedelta(hours=12)
ROOT = "/console/"
OPEN = frozenset({"console.login", "console.try_login", "static", "rq_dashboard.static"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The throttle counts 30 a minute: at 3 a try that is 10 tries for one address.
COST_OF_A_TRY = 3
LONGEST_NAME = 60
DEVICE = "funnel_device"
ASKED = "funnel.operator"
DEVICE_LASTS_FOR = timedelta(days=365)


class OldForm(Forbidden):
    """A form without the token of this session: of an earlier login, or not of the console."""


class ConsoleSessions(SecureCookieSessionInterface):
    """Flask's sessions, for the console alone: a hook has none, and does not pay for the look at it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a request to the console; None for any other."""
        return super().open_session(app, request) if request.path.startswith(ROOT) else None


def guard_console(app: Flask) -> None:
    """Let nobody under /console/ without a login, whichever blueprint answers there, and keep the cookie to it."""
    app.config.update(
        SESSION_COOKIE_NAME="funnel_console",
        SESSION_COOKIE_PATH=ROOT,
        SESSION_COOKIE_HTTPONLY=True,
        # Not Strict: a link in a chat's alert came without the cookie then, and the login page overwrote it.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=current_secure(app),
        PERMANENT_SESSION_LIFETIME=LASTS_FOR,
    )
    app.session_interface = ConsoleSessions()
    app.before_request(require_operator)


def current_secure(app: Flask) -> bool:
    """Say whether the console is reached over https, so that its cookie must be too."""
    with app.app_context():
        return current_deps().settings.public_url.startswith("https:")


def operator() -> str | None:
    """Return the name of who is logged in; None for a stranger, after 12 hours, a logout or another password."""
    if ASKED not in request.environ:
        request.environ[ASKED] = _operator()
    found: str | None = request.environ[ASKED]
    return found


def _operator() -> str | None:
    since, name, session_id = session.get("since"), session.get("operator"), session.get("id")
    if not name or not since or not session_id or session.get("key") != _key():
        return None
    deps, began = current_deps(), datetime.fromisoformat(since)
    if deps.now() - began >= LASTS_FOR or is_closed(deps, session_id, began):
        return None
    return str(name)


def log_in(name: str, password: str) -> bool:
    """Open the console for a name that gives the password; False, in the same time, for a wrong one.

    Raises TooManyRequests for an address, or a browser that is known, that tried too often, right or wrong.
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
    """Count a try, and return for how many seconds no more are let through: of this browser, household and site."""
    hit, address = current_deps().throttle.hit, request.remote_addr
    if device:
        return hit("console-login", device, cost=COST_OF_A_TRY)
    waits = [hit("console-login", caller_key(address), cost=COST_OF_A_TRY)]
    site = site_key(address)
    return max(waits + ([hit("console-login", site)] if site else []))


def log_out() -> None:
    """Close the console for this browser, and for whoever has a copy of its cookie."""
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
    """Return the token that this session's forms carry."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def safe_next(path: str) -> str:
    """Return where to go after the login: a page of the console, never another site."""
    return path if path.startswith(ROOT) and "//" not in path and "\\" not in path else ROOT


def require_operator() -> ResponseReturnValue | None:
    """Let only who logged in with CONSOLE_PASSWORD into the console, and change nothing without a form's token."""
    if not request.path.startswith(ROOT) and request.path != ROOT.rstrip("/"):
        return None
    # First the login, so that a stranger learns nothing from a form either.
    if request.endpoint not in OPEN and operator() is None:
        return _ask_to_log_in()
    if request.method not in SAFE and not _has_token():
        raise OldForm("This form is too old, or did not come from the console. Load its page again and repeat.")
    return None


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
    # Changing the password logs everybody out, since a signed cookie cannot be called back otherwise.
    settings = current_deps().settings
    return hmac.new(settings.secret_key.encode(), settings.console_password.encode(), hashlib.sha256).hexdigest()[:32]
