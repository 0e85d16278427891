"""The described interface, fuzzed: no fault of ours, and no answer that is not described."""

import hashlib
import hmac
import io
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from funnel_app.app import create_app
from funnel_app.gateways.redis.throttle import Throttle
from tests.factories import CALCOM_KEY, CALENDLY_KEY, make_deps
from tests.sqlite_files import open_copy
from tests.web.callers import BEARER

OURS = ["signup", "noshow", "maybe", "onboarding", "booking"]
CALENDARS = ["calendly", "calcom"]
MODES = list(GenerationMode)


class Signing:
    """Signs whatever comes as the calendars do, so that the payloads behind their proof are tried too."""

    def __init__(self, app, at: int) -> None:
        self.app, self.at = app, at

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        signed = hmac.new(CALENDLY_KEY.encode(), f"{self.at}.".encode() + body, hashlib.sha256).hexdigest()
        environ["HTTP_CALENDLY_WEBHOOK_SIGNATURE"] = f"t={self.at},v1={signed}"
        environ["HTTP_X_CAL_SIGNATURE_256"] = hmac.new(CALCOM_KEY.encode(), body, hashlib.sha256).hexdigest()
        environ["wsgi.input"] = io.BytesIO(body)
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def deps(migrated_sqlite, tmp_path_factory):
    """Collaborators over a ledger of this file's own, with patience for strangers."""
    engine = open_copy(migrated_sqlite, tmp_path_factory.mktemp("fuzz") / "funnel.db")
    yield replace(make_deps(engine), throttle=Throttle(None, per_minute=1_000_000))
    engine.dispose()


@pytest.fixture(scope="module")
def ours(deps):
    """The interface as it describes itself."""
    return schemathesis.openapi.from_wsgi("/openapi.json", create_app(deps))


@pytest.fixture(scope="module")
def calendars(deps):
    """The same, of which every call is signed."""
    app = create_app(deps)
    app.wsgi_app = Signing(app.wsgi_app, int(deps.now().timestamp()))
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def fuzz(api, hook, mode, *, excluded) -> None:
    operation = api[f"/webhook/{{campaign}}/{hook}"]["POST"]
    # Rules over several fields, and over what an address or a time is, say more than a schema can.
    excluded = [positive_data_acceptance, *excluded]

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered_as_described(case):
        case.call_and_validate(headers=BEARER, excluded_checks=excluded)

    answered_as_described()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hook", OURS)
def test_whatever_our_callers_send_is_answered_as_described(ours, hook, mode):
    fuzz(ours, hook, mode, excluded=[])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hook", CALENDARS)
def test_whatever_calendars_send_is_answered_as_described(calendars, hook, mode):
    # The signature is put on outside of what is fuzzed, so that its absence cannot be seen here.
    excluded = [ignored_auth, negative_data_rejection]
    fuzz(calendars, hook, mode, excluded=excluded)
