"""Privacy: who is not to be mailed is not, who wants to know gets all, who wants to be forgotten is."""

import json

import pytest
from sqlalchemy import text, update

from funnel_app.campaigns.reasons import with_words
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.privacy.erase import Erased, NotYet, erase
from funnel_app.flows.privacy.export import export
from funnel_app.flows.privacy.suppress import release, suppress
from funnel_app.flows.privacy.unsubscribe import Standing, find_standing, unsubscribe
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.models import Base, Contact, Enrolment, Scope, Suppression
from tests.flows.leads import WorkerDied, assess, die, email_ids, look, opt_in, states
from tests.flows.sending.test_record_event import report

QUOTA = Answer(AnswerKind.QUOTA, detail="429 daily_quota_exceeded: used up", retry_after=7200.0)
LOST = Answer(AnswerKind.UNKNOWN, detail="the answer did not come in 7 s")


def everything(deps) -> str:
    """All that the ledger holds, as one text."""
    with deps.reads() as session:
        tables = {name: session.execute(text(f"SELECT * FROM {name}")).all() for name in Base.metadata.tables}
    return json.dumps({name: [list(map(str, row)) for row in rows] for name, rows in tables.items()}).lower()


def test_a_suppressed_address_gets_nothing_now_or_later(ready):
    now = opt_in(ready)
    assert suppress(ready, " ANA@resend.dev", Scope.ALL) is True
    assert suppress(ready, "ana@resend.dev", Scope.ALL) is False
    assert set(states(ready, now)) == {"cancelled"}
    later = email_ids(assess(ready))[0]
    assert deliver(ready, [later]) is Outcome.NOTHING_TO_DO
    found = look(ready, later)
    assert (found.state, found.reason) == ("suppressed", "mail was stopped by a person on 24 November")


def test_an_address_can_be_suppressed_before_anybody_knows_it(ready):
    assert suppress(ready, "ana@resend.dev", Scope.MARKETING) is True
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    assert look(ready, first).state == "suppressed"


def test_a_released_address_is_mailed_again(ready):
    suppress(ready, "ana@resend.dev", Scope.ALL)
    suppress(ready, "ana@resend.dev", Scope.MARKETING)
    assert release(ready, "ana@resend.dev") == 2
    assert release(ready, "ana@resend.dev") == 0
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    assert look(ready, first).state == "sent"


def test_an_export_holds_all_that_is_known(ready):
    first = email_ids(assess(ready))[0]
    deliver(ready, [first])
    unsubscribe(ready, token(ready))
    found = export(ready, "ana@resend.dev")
    assert found["person"]["email"] == "ana@resend.dev" and found["person"]["properties"]["red_systems"] == 2
    assert found["suppressions"][0]["reason"] == "unsubscribed on 24 November"
    assert [call["hook"] for call in found["calls"]] == ["signup"]
    assert found["messages"][0]["to"] == "ana@resend.dev" and "Hi Ana" in found["messages"][0]["html"]
    assert found["story"]["enrolments"][0]["sequence"] == "five_day"
    json.dumps(found)


def test_an_export_of_a_stranger_is_nothing(ready):
    assert export(ready, "nobody@resend.dev") is None
    suppress(ready, "nobody@resend.dev", Scope.ALL)
    assert export(ready, "nobody@resend.dev")["person"] is None


def token(deps) -> str:
    with deps.reads() as session:
        return session.query(Contact.unsubscribe_token).limit(1).scalar()


@pytest.fixture
def known(ready):
    """A lead with a bounce that names the mailbox, a refused call and pages in Notion."""
    first = email_ids(assess(ready))[0]
    deliver(ready, [first])
    words = with_words("mailbox does not exist", "550 5.1.1 <ana@resend.dev> unknown")
    record_event(ready, report(ready, first, "email.bounced", detail=words))
    refuse(ready, campaign="christmas", hook="signup", payload={"email": "Ana@resend.dev"}, errors={"x": ["y"]})
    with ready.sessions.begin() as session:
        session.execute(update(Contact).values(notion_page_id="page-of-ana", business_name="Ana's Salon"))
        session.execute(update(Enrolment).values(notion_page_id="page-of-her-sequence"))
    return ready


@pytest.mark.both_databases
def test_an_erased_person_is_nowhere_any_more(known):
    out = token(known)
    assert "ana@resend.dev" in everything(known)
    assert erase(known, "ana@resend.dev") == Erased(known=True, pages_left=0)
    left = everything(known)
    assert "ana@resend" not in left and "salon" not in left and '"ana"' not in left
    assert known.notebook.trashed == ["page-of-ana", "page-of-her-sequence"]
    assert trace(known, "ana@resend.dev")["contact"] is None
    assert find_standing(known, out) == Standing(marketing=False, nothing=True), "the way out still works"
    assert unsubscribe(known, out) is True
    with known.reads() as session:
        assert session.query(Contact.unsubscribe_token).scalar() == out


def test_an_erased_address_is_never_mailed_again(known):
    erase(known, "ana@resend.dev")
    again = email_ids(opt_in(known))[0]
    deliver(known, [again])
    found = look(known, again)
    assert (found.state, found.reason) == (
        "suppressed",
        "erased at their own wish on 24 November; never to be mailed again",
    )
    with known.reads() as session:
        assert {row.email_norm for row in session.query(Suppression)} == {None}


def test_what_was_planned_is_cancelled(ready):
    receipt = opt_in(ready)
    erase(ready, "ana@resend.dev")
    assert set(states(ready, receipt)) == {"cancelled"}
    assert look(ready, email_ids(receipt)[0]).reason == "erased at their own wish on 24 November"


@pytest.mark.both_databases
@pytest.mark.parametrize(("answer", "state"), [(QUOTA, "cancelled"), (LOST, "ambiguous")])
def test_a_call_that_waits_is_not_made_again(ready, answer, state):
    ready.mailer.script = [answer]
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    erase(ready, "ana@resend.dev")
    assert look(ready, first).state == state
    with ready.reads() as session:
        assert session.execute(text("SELECT state, next_attempt_at FROM requests")).all() == [("refused", None)]


@pytest.mark.both_databases
def test_while_an_email_is_being_handed_over_nothing_is_erased(ready, monkeypatch):
    first = email_ids(opt_in(ready))[0]
    monkeypatch.setattr("funnel_app.flows.sending.deliver.submit", die)
    with pytest.raises(WorkerDied):
        deliver(ready, [first])
    with pytest.raises(NotYet, match="in a minute"):
        erase(ready, "ana@resend.dev")
    assert "ana@resend.dev" in everything(ready)
    ready.now.forward(seconds=16)
    erase(ready, "ana@resend.dev")
    assert look(ready, first).state == "ambiguous", "the worker died, perhaps in the middle of the call"


def test_a_batch_in_doubt_keeps_its_texts_until_it_is_settled(ready):
    ready.mailer.script = [QUOTA]
    deliver(ready, [email_ids(opt_in(ready, address))[0] for address in ("ana@resend.dev", "bea@resend.dev")])
    with pytest.raises(NotYet, match="others that go in the same call"):
        erase(ready, "ana@resend.dev")


def test_pages_that_notion_could_not_remove_are_removed_at_the_next_call(known):
    known.notebook.fault = Unavailable("notion", "503")
    assert erase(known, "ana@resend.dev") == Erased(known=True, pages_left=2)
    known.notebook.fault = Rejected("notion", "no access", code="unauthorized")
    assert erase(known, "ana@resend.dev").pages_left == 2
    known.notebook.fault = None
    assert erase(known, "ana@resend.dev") == Erased(known=False, pages_left=0)
    assert sorted(known.notebook.trashed) == ["page-of-ana", "page-of-her-sequence"]


def test_a_stranger_is_erased_too(ready):
    assert erase(ready, "nobody@resend.dev") == Erased(known=False, pages_left=0)
    first = email_ids(opt_in(ready, "nobody@resend.dev"))[0]
    deliver(ready, [first])
    assert look(ready, first).state == "suppressed"


def test_nobody_else_is_touched(known):
    bea = opt_in(known, "bea@resend.dev")
    erase(known, "ana@resend.dev")
    assert set(states(known, bea)) == {"planned"}
    assert trace(known, "bea@resend.dev")["contact"]["email"] == "bea@resend.dev"
