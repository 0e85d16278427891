"""Checks of this process's start-up: Python, settings and secrets."""

import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from funnel_app.campaigns.spoken import things
from funnel_app.config import SUPPORTED_PYTHON, Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import RECENT, Findings, fault, ok, warning
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.queries import watching
from funnel_app.setting_checks import parts_of

LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, never bound)
LOCAL_ENDINGS = (".local", ".test", ".localhost", ".internal")
STRONG = 32


def python(deps: Deps) -> Findings:
    """Funnel runs on the one version that it is tested with."""
    version = sys.version.split()[0]
    if tuple(sys.version_info[:2]) == SUPPORTED_PYTHON:
        yield ok("python", version)
    else:
        yield fault("python", version, "use Python 3.11: on 3.12 and later the old stack's workers crashed")


def settings(deps: Deps) -> Findings:
    """Addresses and testing mode are consistent."""
    found = deps.settings
    if not found.testing_mode and is_local(found.public_url):
        words = f"PUBLIC_URL is {found.public_url}, and TESTING_MODE is off: no reader could reach its links"
        yield fault("settings", words, "set PUBLIC_URL to the address at which the world reaches Funnel")
    elif not found.testing_mode and is_local(found.resend_api_url):
        words = f"RESEND_API_URL is {found.resend_api_url}, a stand-in, and TESTING_MODE is off"
        yield fault("settings", words, "remove RESEND_API_URL, so that emails go to Resend")
    else:
        yield ok("settings", f"public at {found.public_url}, from {found.from_email}, business in {found.timezone}")


def testing_mode(deps: Deps) -> Findings:
    """No real lead is treated as a test."""
    found = deps.settings
    if not found.testing_mode:
        yield ok("testing mode", "off: delays are days, and every lead is mailed")
        return
    with deps.reads() as session:
        skipped = watching.skipped_as_tests(session, deps.now() - RECENT)
    fix = "set TESTING_MODE=false where real leads come, or add the address to TEST_RECIPIENTS"
    if skipped:
        yield fault("testing mode", f"on, and {things(skipped, 'email')} went to nobody in the last 7 days", fix)
    elif not is_local(found.public_url):
        yield warning("testing mode", f"on, at a public address ({found.public_url}): real leads get no email", fix)
    else:
        yield ok("testing mode", f"on: only {', '.join(found.test_recipients)} are mailed")


def hook_secrets(deps: Deps) -> Findings:
    """Each entrance has a secret of its own that cannot be guessed."""
    found = deps.settings
    weak = [secret for secret in found.hook_secrets if len(secret) < STRONG]
    rotating = [name for name, value in _pairs(deps.settings) if len(value) > 1]
    if weak:
        yield warning("hook secrets", "HOOK_SECRET is short", "use 32 characters or more: openssl rand -hex 32")
    elif rotating:
        fix = "take the old secret away once every caller uses the new one"
        yield warning("hook secrets", f"two secrets are good for {', '.join(rotating)}", fix)
    else:
        shut = [name for name, value in _pairs(deps.settings) if not value]
        yield ok("hook secrets", "HOOK_SECRET is set; closed: " + (", ".join(shut) or "nothing"))


def proxies(deps: Deps) -> Findings:
    """TRUSTED_PROXIES matches the proxies in front: otherwise callers are counted together, or not at all."""
    trusted = deps.settings.trusted_proxies
    try:
        hops = deps.process_status.hops()
    except Unavailable:
        hops = None
    if hops is None or ((hops == 0) == (trusted == 0) and hops >= trusted):
        yield ok("proxies", "no call came within a day" if hops is None else f"{hops} seen, {trusted} trusted")
        return
    words = f"TRUSTED_PROXIES is {trusted}, and calls come through {hops}: all callers are counted as one"
    yield warning("proxies", words, f"set TRUSTED_PROXIES={hops} if only your own proxies stand before Funnel")


def _pairs(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "HOOK_SECRET", settings.hook_secrets
    yield "CALENDLY_SIGNING_KEY", settings.calendly_signing_keys
    yield "CALCOM_SIGNING_KEY", settings.calcom_signing_keys
    yield "LEGACY_KEY", parts_of(settings.legacy_key)


def is_local(url: str) -> bool:
    """Say whether an address is this machine's or one reserved for tests."""
    host = urlsplit(url).hostname or ""
    return host in LOCAL or host.endswith(LOCAL_ENDINGS)
