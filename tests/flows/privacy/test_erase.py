"""Erase: nothing of a person is left in any corner, nothing comes back, and nobody else loses anything."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.reasons import with_words
from funnel_app.deps import Deps
from funnel_app.flows.addresses import NotAnAddress, looked_up, names
from funnel_app.flows.console.settle import correct_address
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.monitoring.notifications.critical_leads import find_critical
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.privacy.erase import Erased, NotYet, erase, finish
from funnel_app.flows.privacy.export import export
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import adopt_orphans, record_event
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.ledger import mirrored
from funnel_app.ledger.database import storage
from funnel_app.ledger.models import Contact, EmailEvent, HookEvent, Scope, Suppression
from sandbox.notion.state import CONTACTS_DATABASE_ID
from tests.factories import make_deps
from tests.flows.leads import assess, call, email_ids, look, opt_in, write_templates
from tests.flows.mirror.workspaces import contacts, lay, mirror_all, sequences, write_row
from tests.flows.privacy.test_privacy import everything
from tests.flows.sending.test_record_event import report

CHAT = "https://hooks.slack.com/services/leads"
NAMED = with_words("mailbox does not exist", "550 5.1.1 <ana@resend.dev> unknown")


def files_of(deps) -> bytes:
    """All that lies on the disk of a ledger in SQLite, its log of old pages too."""
    file = storage.file_of(deps.engine)
    return b"".join(found.read_bytes() for found in file.parent.glob(f"{file.name}*")).lower()


def kept(deps) -> list[dict]:
    with deps.reads() as session:
        return [call.payload for call in session.scalars(select(HookEvent).where(HookEvent.outcome == "refused"))]


def test_the_files_of_the_ledger_hold_nothing_any_more(deps):
    write_templates(deps)
    deliver(deps, email_ids(opt_in(deps))[:1])
    with deps.sessions.begin() as session:
        session.execute(update(Contact).values(business_name="Zanzibar Salon", consent_ip="203.0.113.77"))
    told = (b"ana@resend.dev", b"zanzibar", b"203.0.113.77")
    assert all(words in files_of(deps) for words in told)
    assert erase(deps, "ana@resend.dev").traces_left is False
    assert [words for words in told if words in files_of(deps)] == []


def test_while_somebody_reads_the_traces_are_said_to_be_left_and_go_later(deps, monkeypatch):
    monkeypatch.setattr(storage, "SCRUB_WITHIN_MS", 10)
    opt_in(deps)
    with deps.reads() as reader:
        reader.execute(text("SELECT * FROM contacts")).all()
        assert erase(deps, "ana@resend.dev").traces_left is True
        assert b"ana@resend.dev" in files_of(deps)
    finish(deps)
    assert b"ana@resend.dev" not in files_of(deps)
    with deps.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


@pytest.mark.both_databases
def test_pages_that_notion_could_not_remove_follow_by_themselves(ready):
    opt_in(ready)
    with ready.sessions.begin() as session:
        session.execute(update(Contact).values(notion_page_id="page-of-ana"))
    ready.notebook.fault = Unavailable("notion", "503")
    assert erase(ready, "ana@resend.dev").pages_left == 1
    finish(ready)
    assert ready.notebook.trashed == []
    ready.notebook.fault = None
    finish(ready)
    assert ready.notebook.trashed == ["page-of-ana"]


def in_notion(deps, notion) -> Deps:
    """Lay the desk in the stand-in, and let pages be removed there."""
    lay(deps, notion)
    calls = NotionCalls("ntn_test", notion.notion_url)
    return replace(deps, notebook=NotionTemplates("ntn_test", "none", calls=calls))


@pytest.mark.both_databases
def test_rows_that_the_ledger_does_not_know_are_removed_too(deps, notion):
    """One that a person made, and one that was made in a call whose answer never came."""
    deps = in_notion(deps, notion)
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana", Email="Ana@Resend.dev")
    write_row(notion, CONTACTS_DATABASE_ID, Name="Bea", Email="bea@resend.dev")
    opt_in(deps)
    mirror_all(deps)
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana again", Email="ana@resend.dev")
    assert erase(deps, "Ana@Resend.dev") == Erased(known=True, pages_left=0)
    assert [row["Name"] for row in contacts(notion)] == ["Bea"] and sequences(notion) == []


def test_a_table_that_cannot_be_asked_is_said(deps, notion):
    deps = in_notion(deps, notion)
    notion.sandbox.settings.merge({"notion.fail_always": {"status": 503, "code": "service_unavailable"}})
    opt_in(deps)
    assert erase(deps, "ana@resend.dev").tables_left == 2
    notion.sandbox.settings.merge({"notion.fail_always": None})
    deps.now.forward(minutes=2)
    assert erase(deps, "ana@resend.dev") == Erased(known=False, pages_left=0)


@pytest.mark.both_databases
def test_while_the_rows_are_being_written_nothing_is_erased(deps, notion):
    """The writer would make them again where they are gone, and keep in the ledger what it wrote."""
    deps = in_notion(deps, notion)
    opt_in(deps)
    with deps.sessions.begin() as session:
        (ana,) = session.scalars(select(Contact.id))
        assert mirrored.claim(session, [ana], deps.now(), ana, deps.now() + timedelta(seconds=90))
    with pytest.raises(NotYet, match="are being written"):
        erase(deps, "ana@resend.dev")
    assert "ana@resend.dev" in everything(deps)
    deps.now.forward(seconds=91)
    erase(deps, "ana@resend.dev")
    with deps.sessions.begin() as session:
        assert not mirrored.renew(session, ana, ana, deps.now()), "a writer that wakes up late has lost its lease"
    mirror_all(deps)
    assert contacts(notion) == [] and "ana@resend" not in everything(deps)


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"email": "Ana@Resend.dev "}, True),
        ({"payload": {"invitees": [{"email": "ana@resend.dev"}]}}, True),
        ({"body": '{"email": "ana@resend.dev", "first_name": "A'}, True),
        ({"body": "email=ana%40resend.dev&first_name=Ana"}, True),
        ({"body": "Ana <ana@resend.dev>, mailto:x"}, True),
        ({"ana@resend.dev": 1}, True),
        ({"body_base64": base64.b64encode(b"\xff ana@resend.dev \xe9").decode()}, True),
        ({"body": "https://x.example/ana@resend.dev/edit?me"}, True),
        ({"body": "x=ana@resend.dev/edit"}, True),
        ({"body": "a@b@ana@resend.dev"}, True),
        ({"email": "susana@resend.dev"}, False),
        ({"email": "ana@resend.dev.example"}, False),
        ({"email": "ana+shop@resend.dev"}, False),
        ({"email": 7, "more": [None, True]}, False),
    ],
)
def test_a_call_names_a_person_however_the_address_is_written(payload, named):
    assert names(payload, "ana@resend.dev") is named


def test_an_address_in_another_script_is_one_person():
    assert names({"email": "ana@Bücher.de"}, "ana@xn--bcher-kva.de")


@pytest.mark.both_databases
def test_refused_calls_of_others_stay(ready):
    for address in ("ana@resend.dev", "susana@resend.dev"):
        refuse(ready, campaign="christmas", hook="signup", payload={"email": address}, errors={"x": ["y"]})
    erase(ready, "ana@resend.dev")
    assert kept(ready) == [{"email": "susana@resend.dev"}]


def test_while_kept_calls_are_looked_through_hooks_are_taken(deps, monkeypatch):
    refuse(deps, campaign="christmas", hook="signup", payload={"email": "ana@resend.dev"}, errors={})
    looked = []

    def look_and_write(payload, email_norm):
        refuse(deps, campaign="christmas", hook="signup", payload={"email": "bea@resend.dev"}, errors={})
        looked.append(payload)
        return names(payload, email_norm)

    monkeypatch.setattr("funnel_app.flows.privacy.erase.names", look_and_write)
    assert erase(deps, "ana@resend.dev").known
    assert looked == [{"email": "ana@resend.dev"}] and kept(deps) == [{"email": "bea@resend.dev"}]


@pytest.mark.both_databases
def test_what_resend_reports_later_does_not_bring_the_address_back(ready):
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    erase(ready, "ana@resend.dev")
    assert record_event(ready, report(ready, first, "email.bounced", detail=NAMED))
    assert (look(ready, first).state, look(ready, first).reason) == ("bounced", "mailbox does not exist")
    orphan = report(ready, None, "email.bounced", resend_id="resend-7", detail=NAMED)
    assert record_event(ready, orphan)
    with ready.sessions.begin() as session:
        session.execute(text("UPDATE emails SET resend_id = 'resend-7' WHERE step = 2"))
    assert adopt_orphans(ready) == 1
    assert "ana@resend" not in everything(ready)
    with ready.reads() as session:
        assert [row.source for row in session.query(Suppression)] == ["erase"]


@pytest.mark.both_databases
@pytest.mark.parametrize("mistyped", ["anna@resend.dev", "anna@résend.example"])
def test_an_address_that_was_corrected_since_is_forgotten_too(ready, mistyped):
    """Also where it is written in another script than it is looked up by."""
    ready = replace(ready, settings=replace(ready.settings, test_recipients=("*",)))
    receipt = enrol(ready, replace(call(mistyped), email_norm=looked_up(mistyped)))
    deliver(ready, email_ids(receipt)[:1])
    correct_address(ready, receipt.contact_id, "ana@resend.dev", "Olga")
    record_event(ready, report(ready, email_ids(receipt)[0], "email.bounced"))
    assert "anna@" in everything(ready)
    erase(ready, "ana@resend.dev")
    assert "anna@" not in everything(ready)
    assert not suppress(ready, mistyped, Scope.ALL), "it stays forbidden"


@pytest.mark.both_databases
def test_words_that_belong_to_no_email_of_ours_are_blanked(ready):
    """The website mails by the same account, and Resend tells us of those emails too."""
    for address in ("ana@resend.dev", "bea@resend.dev"):
        record_event(ready, report(ready, None, "email.bounced", resend_id=address[:3], detail=f"550 <{address}> full"))
    erase(ready, "Ana@resend.dev")
    with ready.reads() as session:
        assert sorted(session.scalars(select(EmailEvent.detail))) == ["550 <bea@resend.dev> full", "erased"]


@pytest.mark.both_databases
def test_the_words_of_a_refused_request_are_blanked(ready):
    deliver(ready, email_ids(opt_in(ready))[:1])
    with ready.sessions.begin() as session:
        session.execute(text("UPDATE requests SET last_error = '422 Invalid `to`: Ana@resend.dev'"))
    erase(ready, "ana@resend.dev")
    with ready.reads() as session:
        assert session.scalar(text("SELECT last_error FROM requests")) == "erased"


@pytest.mark.both_databases
def test_a_word_of_a_critical_lead_that_waits_is_never_said(engine):
    deps = make_deps(engine, leads_webhook_url=CHAT, testing_mode=False)
    for address in ("ana@resend.dev", "bea@resend.dev"):
        assess(deps, address)
    assert find_critical(deps) == 2
    deps.alerts.fault = Unavailable("hooks.slack.com", "answered 503")
    notify(deps)
    erase(deps, "ana@resend.dev")
    deps.alerts.fault = None
    deps.now.forward(minutes=30)
    assert find_critical(deps) == 0
    notify(deps)
    (said,) = [words for _, words in deps.alerts.posted]
    assert said.count("CRITICAL lead") == 1


def test_an_export_holds_refused_calls_too(ready):
    refuse(ready, campaign="christmas", hook="signup", payload={"email": "Ana@resend.dev"}, errors={"x": ["y"]})
    alone = export(ready, "ana@resend.dev")
    assert alone["person"] is None and alone["calls"][0]["payload"] == {"email": "Ana@resend.dev"}
    ready.now.forward(seconds=1)
    opt_in(ready)
    calls = export(ready, "ana@resend.dev")["calls"]
    assert [(call["outcome"], call["errors"]) for call in calls] == [("refused", {"x": ["y"]}), ("accepted", None)]


@pytest.mark.parametrize("slip", ["ana@resend", "ana resend.dev", ""])
def test_a_slip_of_the_pen_is_said_and_protects_nobody_in_silence(deps, slip):
    with pytest.raises(NotAnAddress):
        suppress(deps, slip, Scope.ALL)
    with pytest.raises(NotAnAddress):
        erase(deps, slip)


def test_an_erasure_of_long_ago_asks_nothing_of_the_file(deps, monkeypatch):
    opt_in(deps)
    erase(deps, "ana@resend.dev")
    deps.now.forward(days=2)
    scrubbed = []
    monkeypatch.setattr(storage, "scrub", scrubbed.append)
    finish(deps)
    assert scrubbed == []


def test_an_erased_address_stays_known_when_the_secret_key_is_changed(engine):
    old, new = "o" * 40, "n" * 40
    before = make_deps(engine, secret_key=old)
    erase(before, "ana@resend.dev")
    after = make_deps(engine, secret_key=f"{new}, {old}")
    write_templates(after)
    first = email_ids(opt_in(after))[0]
    deliver(after, [first])
    assert look(after, first).state == "suppressed"
    assert suppress(after, "ana@resend.dev", Scope.ALL) is False, "it was so already"
    erase(after, "bea@resend.dev")
    later = make_deps(engine, secret_key=new)
    assert export(later, "bea@resend.dev")["suppressions"] and after.settings.session_key == new


GUESTS = {"payload": {"attendees": [{"email": "bea@resend.dev"}, {"email": "Ana@Resend.dev", "name": "Ana Zanzibar"}]}}
TOLD = {"answers": {"Who comes along?": "ana@resend.dev, and banana@resend.dev", "Goal?": "Growth"}}


@pytest.mark.both_databases
def test_a_guest_in_other_peoples_bookings_is_forgotten_there_too(ready):
    booked = call("bea@resend.dev", event=Event.BOOKING, occurrence="e1", call_at=ready.now() + timedelta(days=4))
    enrol(ready, replace(booked, payload=GUESTS, contact=TOLD))
    enrol(ready, replace(call("banana@resend.dev"), payload={"friend": "banana@resend.dev"}))
    named = export(ready, "ana@resend.dev")
    assert [found["hook"] for found in named["named_by_others"]] == [booked.hook] and "bea" not in str(named)
    assert erase(ready, "ana@resend.dev").known
    with ready.reads() as session:
        payloads = {hook.event: hook.payload for hook in session.scalars(select(HookEvent))}
        bea = session.scalars(select(Contact).where(Contact.email_norm == "bea@resend.dev")).one()
    assert payloads["booking"] == {"payload": {"attendees": [{"email": "bea@resend.dev"}, {"email": "erased"}]}}
    assert payloads["opt_in"] == {"friend": "banana@resend.dev"}, "whose address only ends the same is not touched"
    assert bea.properties == {"answers": {"Who comes along?": "erased", "Goal?": "Growth"}}
    assert "ana@resend.dev" not in everything(ready).replace("banana@resend.dev", "")
    assert export(ready, "ana@resend.dev")["named_by_others"] == []


def test_an_export_has_the_calls_with_their_places(ready):
    at = ready.now() + timedelta(days=4)
    enrol(ready, call(event=Event.BOOKING, occurrence="e1", call_at=at, place="I1"))
    (booked,) = export(ready, "ana@resend.dev")["bookings"]
    assert (booked["event"], booked["state"], set(booked["places"])) == ("e1", "booked", {"I1"})
