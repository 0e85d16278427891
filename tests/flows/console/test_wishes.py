"""Wishes: what people wish in Notion is done once, answered in the row, and only for those who may."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from funnel_app.flows.console import operate, wishes
from funnel_app.flows.console.actions import list_actions
from funnel_app.flows.console.wishes import grant_wishes
from funnel_app.flows.monitoring.checks.notion import notion as check_notion
from funnel_app.flows.monitoring.local_time import dated
from funnel_app.flows.privacy.suppress import release
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.notion.table import NotionTable
from funnel_app.ledger.models import Contact, Email, Enrolment, Suppression
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.ledger.wishes import Wish
from sandbox.notion.json import PERSON
from sandbox.notion.state import CONTACTS_DATABASE_ID, SEQUENCES_DATABASE_ID
from tests.flows.leads import WorkerDied, count, die, opt_in
from tests.flows.mirror.workspaces import calls, contacts, lay, mirror_all, pages, sequences, source, write_row

OLGA, TORONTO = "olga@example.com", ZoneInfo("America/Toronto")


def allow(deps, *who: str) -> None:
    object.__setattr__(deps, "settings", replace(deps.settings, notion_wishes_by=who))


@pytest.fixture
def desk(deps, notion):
    """A desk in which Olga may wish, with one lead in one sequence."""
    allow(deps, OLGA)
    lay(deps, notion)
    opt_in(deps)
    mirror_all(deps)
    calls(notion)
    return deps


def wish(server, database_id: str, *, by_person: bool = True, **values) -> None:
    """Wish in the one row of a table, as a person would, or with something of ours written after it."""
    page = pages(server, database_id)[0]
    for name, value in values.items():
        page.values[name.replace("_", " ")] = (
            value if isinstance(value, bool) else {"id": "o", "name": value, "color": "default"}
        )
    page.by_person = by_person


def steer(deps, server, value: str) -> str:
    """Wish in the sequence's row, and return the answer in it."""
    wish(server, SEQUENCES_DATABASE_ID, Wish=value)
    grant_wishes(deps)
    row = sequences(server)[0]
    assert row["Wish"] is None
    return row["Wish Answer"]


def enrolment(deps) -> Enrolment:
    with deps.reads() as session:
        return session.scalars(select(Enrolment)).one()


def done(deps) -> list[tuple[str, str, str]]:
    return [(each.action, each.operator, each.source) for each in list_actions(deps.reads).rows]


@pytest.mark.both_databases
def test_a_sequence_is_steered_from_its_row_and_answered_there(desk, notion):
    assert "is paused, " in steer(desk, notion, "Pause") and enrolment(desk).state == "paused"
    assert steer(desk, notion, "Pause").startswith("not done: ")
    assert "goes on, " in steer(desk, notion, " RESUME ") and enrolment(desk).state == "active"
    # It is read on other days too.
    assert steer(desk, notion, "Send  next now").endswith(f" goes now, {dated(desk.settings, desk.now())}, by Olga")
    assert dated(desk.settings, desk.now()) == f"{desk.now().astimezone(TORONTO):%-d %b %H:%M}"
    assert "is stopped" in steer(desk, notion, "Stop") and enrolment(desk).state == "exited"
    assert "none of Pause" in steer(desk, notion, "Dance")
    with desk.reads() as session:
        refused = session.scalars(select(OperatorAction).where(OperatorAction.action == "refused_wish")).all()
        assert {each.contact_id for each in refused} == {session.scalars(select(Contact.id)).one()}
    told = done(desk)
    assert [action for action, *_ in told] == [
        "refused wish", "stop", "send next now", "resume", "refused wish", "pause",
    ]  # fmt: skip
    assert {(who, source) for _, who, source in told} == {("Olga", "Notion")}
    assert count(desk, Wish) == 0


def test_a_round_asks_one_question_a_table_however_many_rows_there_are(desk, notion):
    for number in range(5):
        opt_in(desk, f"lead{number}@resend.dev")
    mirror_all(desk)
    calls(notion)
    assert grant_wishes(desk) == 0
    assert sum(calls(notion).values()) == 2


@pytest.mark.parametrize("who", [(), ("mia@example.com",), ("5a2b0d00-0000-4000-8000-00000000bbbb",)])
def test_a_wish_of_somebody_who_may_not_is_refused_or_not_even_read(desk, notion, who):
    allow(desk, *who)
    wish(notion, SEQUENCES_DATABASE_ID, Wish="Stop")
    grant_wishes(desk)
    row = sequences(notion)[0]
    assert enrolment(desk).state == "active"
    assert (row["Wish"], "NOTION_WISHES_BY" in row["Wish Answer"]) == ((None, True) if who else ("Stop", False))


@pytest.mark.parametrize("who", [PERSON["id"], PERSON["id"].replace("-", "").upper(), "OLGA@example.com", "*"])
def test_who_may_is_named_by_id_or_address_or_is_everybody(desk, notion, who):
    allow(desk, "mia@example.com", who)
    assert "is paused" in steer(desk, notion, "Pause")


def test_nobody_is_taken_for_the_wisher_where_funnel_wrote_the_row_after(desk, notion):
    wish(notion, SEQUENCES_DATABASE_ID, by_person=False, Wish="Stop")
    grant_wishes(desk)
    assert enrolment(desk).state == "active" and "wish it again" in sequences(notion)[0]["Wish Answer"]
    allow(desk, "*")
    wish(notion, SEQUENCES_DATABASE_ID, by_person=False, Wish="Stop")
    grant_wishes(desk)
    assert enrolment(desk).state == "exited"


@pytest.mark.both_databases
@pytest.mark.parametrize("where", ["before", "after", "answer"])
def test_a_wish_is_granted_once_wherever_its_process_dies(desk, notion, monkeypatch, where):
    later = desk.now()
    wish(notion, SEQUENCES_DATABASE_ID, Wish="Send next now")
    names = {"before": "_do", "after": "_recorded", "answer": "_answer"}

    monkeypatch.setattr(wishes, names[where], die)
    with pytest.raises(WorkerDied):
        grant_wishes(desk)
    monkeypatch.undo()
    due = enrolment_emails(desk)
    desk.now.forward(minutes=1)
    grant_wishes(desk)
    assert [action for action, *_ in done(desk)] == ["send next now"]
    assert where == "before" or enrolment_emails(desk) == due
    assert "goes now" in sequences(notion)[0]["Wish Answer"] and count(desk, Wish) == 0
    assert desk.now() > later


def enrolment_emails(deps) -> list:
    with deps.reads() as session:
        enrolled = session.scalars(select(Enrolment)).one()
        return session.scalars(select(Email.due_at).where(Email.enrolment_id == enrolled.id).order_by(Email.step)).all()


def test_an_answer_that_notion_took_without_saying_so_does_not_swallow_the_next_wish(desk, notion, monkeypatch):
    real = NotionTable.answer_wish

    def lost(self, *arguments):
        real(self, *arguments)
        raise Unavailable("Notion", "timeout")

    monkeypatch.setattr(NotionTable, "answer_wish", lost)
    wish(notion, SEQUENCES_DATABASE_ID, Wish="Pause")
    with pytest.raises(Unavailable):
        grant_wishes(desk)
    monkeypatch.undo()
    assert count(desk, Wish) == 1
    grant_wishes(desk)
    assert count(desk, Wish) == 0 and enrolment(desk).state == "paused"
    assert "goes on" in steer(desk, notion, "Resume")


def test_a_wish_that_was_taken_back_before_its_answer_does_not_swallow_the_same_one_later(desk, notion, monkeypatch):
    wish(notion, SEQUENCES_DATABASE_ID, Wish="Pause")
    monkeypatch.setattr(wishes, "_recorded", die)
    with pytest.raises(WorkerDied):
        grant_wishes(desk)
    monkeypatch.undo()
    pages(notion, SEQUENCES_DATABASE_ID)[0].values["Wish"] = None
    desk.now.forward(minutes=3)
    grant_wishes(desk)
    operate.resume(desk, enrolment(desk).id, "Olga")
    assert "is paused" in steer(desk, notion, "Pause") and enrolment(desk).state == "paused"


def test_the_mirror_leaves_wishes_alone(desk, notion):
    wish(notion, SEQUENCES_DATABASE_ID, Wish="Pause")
    wish(notion, CONTACTS_DATABASE_ID, Do_not_mail=True)
    opt_in(desk)
    mirror_all(desk)
    assert sequences(notion)[0]["Wish"] == "Pause" and contacts(notion)[0]["Do not mail"] is True


@pytest.mark.both_databases
def test_a_sequence_is_started_from_contacts_by_its_title(desk, notion):
    choices = source(notion, CONTACTS_DATABASE_ID).properties["Start sequence"].config["options"]
    title = desk.registry.title_of_sequence("christmas", "onboarding_phase1")
    assert title in {each["name"] for each in choices} and len(choices) == 4
    wish(notion, CONTACTS_DATABASE_ID, Start_sequence=title)
    grant_wishes(desk)
    assert "is started, " in contacts(notion)[0]["Wish Answer"] and count(desk, Enrolment) == 2
    wish(notion, CONTACTS_DATABASE_ID, Start_sequence="onboarding_phase1")
    grant_wishes(desk)
    assert "already started" in contacts(notion)[0]["Wish Answer"] and count(desk, Enrolment) == 2
    wish(notion, CONTACTS_DATABASE_ID, Start_sequence="Nothing")
    grant_wishes(desk)
    assert "there is no one sequence" in contacts(notion)[0]["Wish Answer"]


@pytest.mark.both_databases
def test_a_row_that_a_person_made_starts_a_sequence_for_somebody_new(desk, notion):
    page = write_row(notion, CONTACTS_DATABASE_ID, Name="Bo", Email="bo@resend.dev", Start_sequence="lead_nurture")
    page.by_person = True
    grant_wishes(desk)
    assert count(desk, Enrolment) == 2


def test_do_not_mail_suppresses_once_and_a_release_is_not_undone(desk, notion):
    wish(notion, CONTACTS_DATABASE_ID, Do_not_mail=True)
    grant_wishes(desk)
    row = contacts(notion)[0]
    assert row["Do not mail"] is False and "nothing goes to this address" in row["Wish Answer"]
    assert enrolment(desk).state == "exited" and count(desk, Suppression) == 1
    wish(notion, CONTACTS_DATABASE_ID, Start_sequence="lead_nurture")
    grant_wishes(desk)
    assert "not to be mailed" in contacts(notion)[0]["Wish Answer"]
    release(desk, "ana@resend.dev")
    grant_wishes(desk)
    assert count(desk, Suppression) == 0


@pytest.mark.both_databases
def test_a_desk_without_the_properties_is_named_with_its_cure_and_breaks_nothing(deps, notion):
    lay(deps, notion, ready=False)
    allow(deps, OLGA)
    assert grant_wishes(deps) == 0
    opt_in(deps)
    mirror_all(deps)
    lacking = [line for each in deps.desk.tables for line in each.wishes_lacking()]
    assert len(lacking) == 5 and all("flask notion init adds it" in line for line in lacking)
    assert not [line for each in deps.desk.tables for line in each.faults() if "Wish" in line]
    assert all(check.status != "ok" for check in check_notion(deps) if check.name == "notion databases")
