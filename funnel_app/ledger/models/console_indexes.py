"""Indexes for the console's pages, which keep them fast with 100,000 leads."""

from sqlalchemy import Index, text

from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent

# One covering index for all counts by day, state and template: an email's entry stays on its day's page.
Index("ix_emails_figures", Email.due_at, Email.state, Email.template_key, Email.delivered_at)
# With the campaign, so that counts by sequence read no wide rows.
Index("ix_enrolments_sequence_state", Enrolment.sequence, Enrolment.state, Enrolment.campaign, Enrolment.contact_id)
Index(
    "ix_enrolments_paused",
    Enrolment.id,
    sqlite_where=text("state = 'paused'"),
    postgresql_where=text("state = 'paused'"),
)
Index(
    "ix_emails_trouble",
    Email.state,
    Email.enrolment_id,
    sqlite_where=text("state IN ('held', 'ambiguous', 'bounced', 'complained', 'failed', 'suppressed')"),
    postgresql_where=text("state IN ('held', 'ambiguous', 'bounced', 'complained', 'failed', 'suppressed')"),
)
Index("ix_hook_events_outcome", HookEvent.outcome, HookEvent.id)
Index("ix_hook_events_cohort", HookEvent.event, HookEvent.received_at, HookEvent.contact_id)
# Searches for parts of words read this narrow index instead of the wide rows.
Index("ix_contacts_words", Contact.id, Contact.email_norm, Contact.first_name, Contact.name, Contact.business_name)
