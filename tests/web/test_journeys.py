"""A lead's whole journey through the hooks: each email needs no more than its hook brings, and ends as it should."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.populate import populate
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.queries import today
from funnel_app.ledger.queries.today import Span
from tests.web.calendars import calendly, calendly_event
from tests.web.callers import SIGNUP, post

NOW = "2026-11-24T12:00:00Z"
MINIMAL = {
    SIGNUP: {},
    "/webhook/christmas/noshow": {"calendly_event_id": "E1", "scheduled_time": "2026-11-24T10:00:00Z"},
    "/webhook/christmas/maybe": {"call_date": NOW},
    "/webhook/christmas/onboarding": {"payment_confirmed": True, "payment_date": NOW},
    "/webhook/christmas/booking": {"meeting_time": "2026-11-24T12:10:00Z"},
}


def play(deps, minutes: int) -> None:
    """Let minutes go by, sending what is due and proving what was sent."""
    for _ in range(2 * minutes):
        with deps.reads() as session:
            is_due = bool(
                today.next_planned(session, Span(datetime.min.replace(tzinfo=UTC), deps.now(), deps.sendable_modes), 1)
            )
        if is_due:
            send_what_is_due(deps)
        deps.now.forward(seconds=30)
    sweep(deps)


def send_what_is_due(deps) -> None:
    """Send what is due now, and prove what was sent."""
    deps.queues.queued.clear()
    sweep(deps)
    for email_id in deps.queues.emails():
        deliver(deps, [email_id])
    with deps.sessions.begin() as session:
        for email in session.scalars(select(Email).where(Email.state == "sent")):
            email.state = "delivered"


def test_starters_need_no_more_than_what_the_hook_must_bring(client, deps):
    populate(deps)
    for number, (path, more) in enumerate(MINIMAL.items()):
        assert post(client, {"email": f"lead{number}@resend.dev", **more}, path).status_code == 202
    play(deps, 15)
    with deps.reads() as session:
        found = session.scalars(select(Email)).all()
        begun = session.scalars(select(Enrolment.sequence)).all()
    assert len(begun) == len(set(begun)) == len(MINIMAL), "each hook begins a sequence of its own"
    assert {(email.state, email.reason) for email in found} == {("delivered", None)}
    assert all("{{" not in payload["html"] and "{%" not in payload["html"] for payload in deps.mailer.sent())


def test_from_the_first_click_to_a_client(client, deps):
    populate(deps)

    def at():
        return deps.now().timestamp()

    def soon(minutes: int) -> str:
        return (datetime.fromtimestamp(at(), tz=deps.now().tzinfo) + timedelta(minutes=minutes)).isoformat()

    post(client, {"email": "ana@resend.dev", "first_name": "Ana"})
    play(deps, 2)
    post(client, {"email": "ana@resend.dev", "assessment_score": 38, "red_systems": 2})
    play(deps, 2)
    first = soon(8)
    calendly(client, calendly_event("invitee.created", soon(0), event="E1", at=first), at=at())
    play(deps, 3)
    calendly(client, calendly_event("invitee.canceled", soon(0), event="E1", at=first, rescheduled=True), at=at())
    second = soon(7)
    calendly(client, calendly_event("invitee.created", soon(0), event="E2", at=second), at=at())
    play(deps, 8)
    calendly(client, calendly_event("invitee_no_show.created", soon(0), event="E2", at=second), at=at())
    play(deps, 2)
    post(client, {"email": "ana@resend.dev", "call_date": soon(0)}, "/webhook/christmas/maybe")
    play(deps, 2)
    paid = {"email": "ana@resend.dev", "payment_confirmed": True, "payment_date": soon(0)}
    post(client, paid, "/webhook/christmas/onboarding")
    play(deps, 6)

    with deps.reads() as session:
        story = {(e.sequence, e.occurrence): (str(e.state), e.exit_event) for e in session.scalars(select(Enrolment))}
        counts = dict.fromkeys(("delivered", "cancelled", "skipped"), 0)
        for state in session.scalars(select(Email.state)):
            counts[state] += 1
    assert story == {
        ("lead_nurture", ""): ("exited", "assessment"),
        ("five_day", ""): ("exited", "booking"),
        ("precall_prep", "E1"): ("exited", "booking_rescheduled"),
        ("precall_prep", "E2"): ("completed", None),
        ("noshow_recovery", "E2"): ("exited", "maybe"),
        ("postcall_maybe", ""): ("exited", "onboarding"),
        ("onboarding_phase1", ""): ("completed", None),
    }
    assert counts["delivered"] == len(deps.mailer.sent()) and counts["cancelled"] > 0
    subjects = [payload["subject"] for payload in deps.mailer.sent()]
    assert len(subjects) == len(set(subjects)) + 1, (
        "only the reminder of the moved call comes for each of the two calls"
    )
