"""A scratch ledger knows of a person what the real one knows."""

from datetime import timedelta

from sqlalchemy import func, select

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import deliver
from funnel_app.ledger import scratch
from funnel_app.ledger.database.engine import make_sessions
from funnel_app.ledger.models.base import Base
from tests.flows.leads import call, email_ids, opt_in, write_templates

# What happened to an email is told by its states; the others are of no one person.
NOT_COPIED = {
    "counted_days", "email_events", "engagements", "import_answers", "imports",
    "incidents", "notices", "operator_actions", "heartbeats", "outgoing_events", "pauses",
    "received_emails", "receivers", "template_versions", "wishes",
}  # fmt: skip


def test_a_person_is_copied_with_everything_that_is_theirs(deps):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    call_at = deps.now() + timedelta(days=5)
    enrol(deps, call(event=Event.BOOKING, occurrence="E1", call_at=call_at))
    opt_in(deps, "bo@resend.dev")
    with scratch.scratch_ledger() as engine:
        writing, reading = make_sessions(engine)
        with deps.reads() as real, writing.begin() as session:
            assert scratch.copy_person(real, session, "nobody@resend.dev", deps.settings.secret_key) is None
            assert scratch.copy_person(real, session, "ana@resend.dev", deps.settings.secret_key)
        with reading() as session:
            counts = {t.name: session.scalar(select(func.count()).select_from(t)) for t in Base.metadata.sorted_tables}
    copied = {name for name, count in counts.items() if count}
    assert set(counts) - NOT_COPIED - copied <= {"suppressions"}
    assert (counts["contacts"], counts["enrolments"]) == (1, 2)
