"""How each failure is played: up to the trouble, where the play pauses, and on until it is over."""

from collections.abc import Callable, Iterator

import pytest

from funnel_app.campaigns.reasons import with_words
from funnel_app.flows.sending import deliver as deliver_flow
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.account import Quota, Usage
from funnel_app.gateways.resend.answers import UNWRITABLE_KEY, Answer, AnswerKind
from tests.failures.stage import KEY, Stage
from tests.flows.leads import opt_in

Play = Callable[[Stage, pytest.MonkeyPatch], Iterator[None]]

AN_HOUR = {"hours": 1}
TOO_FAST = Answer(AnswerKind.RATE_LIMITED, detail="429 rate_limit_exceeded: Too many requests", retry_after=30.0)
STILL_RUNNING = Answer(AnswerKind.CONCURRENT, detail="409 concurrent_idempotent_requests: still running")
NO_CONNECTION = Answer(AnswerKind.UNREACHABLE, detail="Connection refused")
BY_PROXY = "the proxy that HTTPS_PROXY names does not let the call through (Tunnel connection failed: 403 Forbidden)"
REFUSED_BY_PROXY = Answer(AnswerKind.UNREACHABLE, detail=BY_PROXY)
PROXY_IN_THE_WAY = Unavailable("resend", f"no connection: {BY_PROXY}")
UNWRITABLE = Answer(AnswerKind.PAUSED, detail=UNWRITABLE_KEY)
UNWRITABLE_FAULT = Rejected("resend", UNWRITABLE_KEY, code="invalid_api_key")
ONLY_SENDS = Rejected("resend", "restricted to only send emails", code="restricted_api_key")
WRONG_KEY = Rejected("resend", "API key is invalid", code="invalid_api_key")
UNVERIFIED = {"mail.businessx.example": "pending"}
NOTHING_LEFT = Usage((Quota("daily", 100, 100),), 10.0)
AWAY = Unavailable("resend", "connection refused")
LOST = Answer(AnswerKind.UNKNOWN, detail="the answer was lost (ReadTimeout)")


def broken_template(**page: str) -> Play:
    """A template that the owner breaks, and fixes later."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.write(**page)
        stage.sign_up()
        stage.go()
        yield
        stage.write()
        for _ in range(2):
            stage.go(minutes=2)
        stage.told()

    return play


def misnamed_template(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    del stage.deps.notebook.pages[KEY]
    stage.deps.notebook.write("Letter to new leads")
    stage.sign_up()
    stage.go()
    yield
    del stage.deps.notebook.pages["Letter to new leads"]
    stage.write()
    stage.go(minutes=2)
    stage.told()


def half_typed_template(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A good text is half retyped when the email is due: the good one serves."""
    opt_in(stage.deps, "bea@resend.dev")
    stage.go()
    stage.write(html="<p>Hi {{ first_na")
    stage.deps.now.forward(minutes=2)
    stage.sign_up()
    stage.go()
    yield
    stage.write()
    stage.told()


def notion_refuses(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.notebook.fault = Rejected("notion", "401 unauthorized: API token is invalid.", code="unauthorized")
    stage.sign_up()
    stage.go()
    yield
    stage.deps.notebook.fault = None
    stage.go(minutes=2)
    stage.told()


def notion_away(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.notebook.fault = Unavailable("notion", "503 service_unavailable")
    stage.sign_up()
    stage.go()
    yield
    stage.deps.notebook.fault = None
    stage.go(minutes=2)
    stage.told()


def answered(*answers: object, wait: dict[str, float], **account: object) -> Play:
    """Resend answers so, its account stands so, and it takes the email when it is asked again after a while."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.deps.mailer.script = list(answers)
        stage.sign_up()
        stage.go()
        well = {name: getattr(stage.deps.account, name) for name in account}
        for name, value in account.items():
            setattr(stage.deps.account, name, value)
        yield
        for name, value in well.items():
            setattr(stage.deps.account, name, value)
        stage.go(**wait)
        stage.told()

    return play


def refused_address(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    words = "422 validation_error: Invalid `to` field. The email address needs a domain."
    stage.deps.mailer.script = [Answer(AnswerKind.INVALID, detail=words)]
    stage.sign_up()
    stage.go()
    yield


def reported(kind: str, detail: str | None = None) -> Play:
    """Resend takes the email, and reports later what became of it."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.sign_up()
        stage.go()
        stage.told(kind, detail=detail)
        yield

    return play


def soft_bounce(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.go()
    stage.told("email.soft_bounced", detail=with_words("mailbox is full", "452 4.2.2 over quota"))
    yield
    stage.told()


def other_payload(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key is known to Resend with another text: nobody can say whether this one went out."""
    stage.deps.mailer.script = [Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request: another payload")]
    stage.sign_up()
    stage.go()
    yield
    stage.told()


def doubt_of_an_hour(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.mailer.script = [LOST] * 20
    stage.sign_up()
    for _ in range(3):
        stage.go(minutes=31)
    yield
    stage.told()


def lost_webhook(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.go()
    stage.deps.mailer.last_events = {"resend-0-0": "sent"}
    stage.go(minutes=4)
    yield
    stage.deps.mailer.last_events = {"resend-0-0": "delivered"}
    stage.go(minutes=7)


def lost_webhook_and_a_key_that_only_sends(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.mailer.asking_fault = stage.deps.account.fault = ONLY_SENDS
    stage.sign_up()
    stage.go()
    stage.go(minutes=4)
    yield
    stage.told()


def webhook_before_record(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.mailer.script = [lambda: stage.told(resend_id="resend-0-0")]
    stage.sign_up()
    stage.go()
    yield


def worker_killed(step: str, left: object) -> Play:
    """Return the play in which a worker dies at a step of delivering, of which only this is left."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        with patch.context() as dead:
            dead.setattr(deliver_flow, step, lambda *_: left)
            stage.sign_up()
            stage.go()
        yield
        stage.go(seconds=16)
        stage.told()

    return play


def quota(name: str, hours: float) -> Answer:
    """Resend's refusal when a quota is used up."""
    words = f"429 {name}: You have reached your quota"
    return Answer(AnswerKind.QUOTA, detail=words, retry_after=hours * 3600, name=name)


def paused(words: str) -> Answer:
    """Resend's refusal of the account, key or sender."""
    return Answer(AnswerKind.PAUSED, detail=words)
