"""What Notion has under many keys, recorded by two processes at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text

from funnel_app.flows.sending.deliver import deliver
from funnel_app.ledger import template_versions
from funnel_app.ledger.database.engine import make_sessions
from funnel_app.ledger.models import TemplateVersion
from tests.factories import make_deps
from tests.flows.leads import email_ids, look, opt_in, read_templates, write_templates
from tests.process.watching import wait_until

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEYS = ("first", "second", "third")
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def observe(sessions, now, broken=()):
    seen = [
        {"key": key, "hash": "text", "subject": "", "html": "", "good": key not in broken, "problems": []}
        | dict.fromkeys(("page_id", "ready_html", "ready_text"))
        for key in KEYS
    ]
    with sessions.begin() as session:
        template_versions.observe(session, seen, now)


def test_two_that_judge_a_text_differently_wait_for_each_other_and_both_are_kept(postgres):
    """As while a new version is deployed: the first text is the one that only one of them finds to be as it was."""
    sessions, later = make_sessions(postgres)[0], NOW + timedelta(minutes=1)
    observe(sessions, NOW)
    with ThreadPoolExecutor() as pool:
        with sessions.begin() as session:
            session.execute(select(TemplateVersion).where(TemplateVersion.key == KEYS[-1]).with_for_update())
            both = []
            for number, broken in enumerate([KEYS[:1], ()], 1):
                both.append(pool.submit(observe, sessions, later, broken))
                wait_until("it waits", lambda number=number: waiting(sessions) == number, 10)
        for each in both:
            each.result()
    with sessions() as session:
        latest = template_versions.latest_of_all(session)
    assert {(key, each.checked_at, each.since_at) for key, each in latest.items()} == {
        (key, later, NOW) for key in KEYS
    }
    assert latest["first"].good, "as the last one judged it"


def test_a_letter_goes_while_its_text_is_looked_at(postgres):
    deps = make_deps(postgres)
    write_templates(deps)
    read_templates(deps)
    first = email_ids(opt_in(deps))[:1]
    with ThreadPoolExecutor() as pool, deps.sessions.begin() as session:
        template_versions.lock(session, list(template_versions.newest_subjects(session)))
        sending = pool.submit(deliver, deps, first)
        wait_until("it goes, or waits", lambda: sending.done() or waiting(deps.reads), 10)
        assert sending.done() and look(deps, first[0]).state == "sent"


def waiting(sessions):
    with sessions() as session:
        return session.scalar(WAITING)
