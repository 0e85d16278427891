"""Critical leads: one word of each critical lead, with the name and a link, and never twice."""

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.notifications.critical_leads import find_critical
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.privacy.erase import erase
from funnel_app.ledger import notices
from funnel_app.ledger.database import storage
from tests.factories import make_deps
from tests.flows.leads import assess, call, opt_in
from tests.flows.monitoring.live import LIVE

LEADS = "https://discord.com/api/webhooks/1/secret"


@pytest.fixture
def live(deps):
    return make_deps(deps.engine, **LIVE, leads_webhook_url=LEADS)


def test_a_critical_lead_is_told_once(live):
    assess(live)
    assess(live)
    assert find_critical(live) == 1 and find_critical(live) == 0
    notify(live)
    notify(live)
    ((url, text),) = live.alerts.posted
    assert url == LEADS
    assert "CRITICAL lead: Ana → https://funnel.example/console/leads/" in text and "@" not in text


@pytest.mark.both_databases
def test_who_is_erased_while_they_are_found_is_not_told(live, monkeypatch):
    assess(live)
    known = notices.known

    def known_until_an_erasure(session, keys):
        found = known(session, keys)
        assert erase(live, "ana@resend.dev").known
        return found

    monkeypatch.setattr(storage, "SCRUB_WITHIN_MS", 10)
    monkeypatch.setattr(notices, "known", known_until_an_erasure)
    assert find_critical(live) == 0
    notify(live)
    assert live.alerts.posted == []


def test_what_a_stranger_typed_is_no_link_in_the_chat(live):
    """Discord draws [words](address) as a link, and either chat makes one of an address alone."""
    evil = {"name": "Ana [log in](https://evil.example/in)", "business_name": "evil.ai"}
    enrol(live, call("bea@resend.dev", Event.ASSESSMENT, contact={**evil, "red_systems": 3}))
    assert find_critical(live) == 1
    notify(live)
    words, _, ours = live.alerts.posted[0][1].partition(" → ")
    assert "://" not in words and "evil.ai" not in words and ours.startswith("https://funnel.example/console/leads/")


def test_others_are_not_told(live):
    facts = {"first_name": "Bea", "red_systems": 1, "orange_systems": 7}
    enrol(live, call("bea@resend.dev", Event.ASSESSMENT, contact=facts))
    opt_in(live, "cy@resend.dev")
    assert find_critical(live) == 0


@pytest.mark.both_databases
def test_tests_are_no_leads(deps):
    deps = make_deps(deps.engine, leads_webhook_url=LEADS)
    assess(deps)
    assert find_critical(deps) == 0


def test_without_an_address_nothing_is_kept(deps):
    deps = make_deps(deps.engine, testing_mode=False)
    assess(deps)
    assert find_critical(deps) == 0


def test_a_lead_of_the_day_before_is_no_news(live):
    assess(live)
    live.now.forward(hours=25)
    assert find_critical(live) == 0
