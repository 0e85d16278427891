"""How each failure is played: up to the trouble, where the play pauses, and on until it is over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import event

from funnel_app.campaigns.reasons import with_words
from funnel_app.flows import deliver as deliver_flow
from funnel_app.flows import hand_over as hand_over_flow
from funnel_app.gateways.answers import Answer, AnswerKind
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger.engine import LedgerUnavailable
from tests.failures.stage import KEY, Stage
from tests.flows.leads import opt_in

Play = Callable[[Stage, pytest.MonkeyPatch], Iterator[None]]

AN_HOUR = {"hours": 1}
TOO_FAST = Answer(AnswerKind.RATE_LIMITED, detail="429 rate_limit_exceeded: Too many requests", retry_after=30.0)
STILL_RUNNING = Answer(AnswerKind.CONCURRENT, detail="409 concurrent_idempotent_requests: still running")
NO_CONNECTION = Answer(AnswerKind.UNREACHABLE, detail="500 HttpClientError: connection refused")
LOST = Answer(AnswerKind.UNKNOWN, detail="500 HttpClientError: the answer did not come in 7 s")


def broken_template(**page: str) -> Play:
    """A template that the owner breaks, and mends later."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.deps.notebook.write(KEY, **page)
        stage.sign_up()
        stage.go()
        yield
        stage.deps.notebook.write(KEY)
        for _ in range(2):
            stage.go(minutes=2)
        stage.told()

    return play


def misnamed_template(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.notebook.pages[f"{KEY} final"] = stage.deps.notebook.pages.pop(KEY)
    stage.sign_up()
    stage.go()
    yield
    stage.deps.notebook.write(KEY)
    stage.go(minutes=2)
    stage.told()


def half_typed_template(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A good text is half retyped when the email is due: the good one serves."""
    opt_in(stage.deps, "bea@resend.dev")
    stage.go()
    stage.deps.notebook.write(KEY, html="<p>Hi {{ first_na")
    stage.deps.now.forward(minutes=2)
    stage.sign_up()
    stage.go()
    yield
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


def answered(*answers: object, wait: dict[str, float]) -> Play:
    """Resend answers so, and takes the email when it is asked again after a while."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.deps.mailer.script = list(answers)
        stage.sign_up()
        stage.go()
        yield
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
    stage.deps.mailer.asking_fault = Rejected("resend", "restricted to only send emails", code="restricted_api_key")
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


def worker_killed_before_the_call(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as dead:
        dead.setattr(deliver_flow, "_compose_each", lambda *_: {})
        stage.sign_up()
        stage.go()
    yield
    stage.go(seconds=16)
    stage.told()


def worker_killed_in_the_call(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as dead:
        dead.setattr(hand_over_flow, "settle", lambda *_: None)
        stage.sign_up()
        stage.go()
    yield
    stage.go(seconds=16)
    stage.told()


def scheduler_dead(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.deps.now.forward(minutes=5)
    yield
    stage.go()
    stage.told()


def redis_away(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    def away() -> None:
        raise Unavailable("redis", "connection refused")

    stage.deps.queues.away = True
    stage.sign_up()
    stage.deps.now.forward(minutes=5)
    with patch.context() as outage:
        outage.setattr(stage.deps.pause, "current", away)
        yield
    stage.deps.queues.away = False
    stage.go()
    stage.told()


def full_disk(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hook that cannot be written is not answered 2xx; its caller sends it again when there is room."""
    engine = stage.deps.engine

    def let_no_page_be_added(connection, record, proxy) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(engine, "checkout", let_no_page_be_added)
    with pytest.raises(LedgerUnavailable, match="full"):
        for number in range(100):
            opt_in(stage.deps, f"lead{number}@resend.dev")
    with pytest.raises(LedgerUnavailable, match="full"):
        stage.sign_up()
    event.remove(engine, "checkout", let_no_page_be_added)
    engine.dispose()
    stage.sign_up()
    yield
    stage.go()
    stage.told()


def quota(name: str, hours: float) -> Answer:
    """Resend's refusal when a quota is used up."""
    return Answer(AnswerKind.QUOTA, detail=f"429 {name}: You have reached your quota", retry_after=hours * 3600)


def paused(words: str) -> Answer:
    """Resend's refusal of the account, key or sender."""
    return Answer(AnswerKind.PAUSED, detail=words)


@dataclass(frozen=True)
class Failure:
    """One thing that goes wrong: its play, the email's state meanwhile and at last, and what watches over it."""

    name: str
    play: Play
    meanwhile: str
    at_last: str = "delivered"
    doctor: str = ""
    alert: str = ""


FAILURES = (
    Failure("empty template", broken_template(html=""), "held"),
    Failure("template without a subject", broken_template(subject=""), "held"),
    Failure("misnamed template", misnamed_template, "held"),
    Failure("archived template", broken_template(status="Archived"), "held"),
    Failure("template broken while it is typed", broken_template(html="<p>Hi {{ first_na"), "held"),
    Failure("good template half retyped", half_typed_template, "sent"),
    Failure("unknown variable", broken_template(html="<p>{{ frist_name }}</p>"), "held"),
    Failure("variable that nothing provides", broken_template(html="<p>{{ portal_url }}</p>"), "held"),
    Failure("wrong Notion token", notion_refuses, "held"),
    Failure("Notion away", notion_away, "held"),
    Failure("wrong Resend key", answered(paused("403 invalid_api_key: API key is invalid"), wait=AN_HOUR), "sending"),
    Failure(
        "unverified domain",
        answered(paused("403 validation_error: The domain mail.businessx.example is not verified"), wait=AN_HOUR),
        "sending",
    ),
    Failure("refused address", refused_address, "failed", "failed"),
    Failure(
        "bounce",
        reported("email.bounced", with_words("mailbox does not exist", "smtp; 550 5.1.1 no such mailbox")),
        "bounced",
        "bounced",
    ),
    Failure("full mailbox", soft_bounce, "delayed"),
    Failure("complaint", reported("email.complained"), "complained", "complained"),
    Failure(
        "address on Resend's suppression list",
        reported("email.suppressed", "an earlier email to this address bounced, so Resend does not mail it"),
        "suppressed",
        "suppressed",
    ),
    Failure("rate limit", answered(TOO_FAST, wait={"seconds": 31}), "sending"),
    Failure("daily quota", answered(quota("daily_quota_exceeded", 12), wait={"hours": 12}), "sending"),
    Failure("monthly quota", answered(quota("monthly_quota_exceeded", 150), wait={"hours": 150}), "sending"),
    Failure("Resend away", answered(NO_CONNECTION, wait={"minutes": 1}), "sending"),
    Failure("timeout after acceptance", answered(("accepted", LOST), wait={"minutes": 1}), "sending"),
    Failure("in doubt for an hour", doubt_of_an_hour, "ambiguous"),
    Failure("409, still being worked on", answered(STILL_RUNNING, wait={"minutes": 1}), "sending"),
    Failure("409, another payload", other_payload, "ambiguous"),
    Failure("lost webhook", lost_webhook, "sent"),
    Failure("lost webhook, and a key that may only send", lost_webhook_and_a_key_that_only_sends, "sent"),
    Failure("webhook before our own record", webhook_before_record, "delivered"),
    Failure("worker killed before the call", worker_killed_before_the_call, "sending"),
    Failure("worker killed during the call", worker_killed_in_the_call, "sending"),
    Failure("scheduler dead", scheduler_dead, "planned"),
    Failure("Redis away", redis_away, "planned"),
    Failure("full disk", full_disk, "planned"),
)
