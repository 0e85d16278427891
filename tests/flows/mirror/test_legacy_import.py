"""The cut-over, over HTTP: leads of the old system go on where they were, and nothing is sent again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.mirror.legacy_import import cut_over
from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.ledger import contacts as ledger_contacts
from funnel_app.ledger import enrolments, suppressions
from funnel_app.ledger.models import Contact, Email, Enrolment
from sandbox.notion.state import CONTACTS_DATABASE_ID, SEQUENCES_DATABASE_ID, plain, read_schema
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import assess, call, email_ids, look, opt_in, write_templates
from tests.flows.mirror.workspaces import contacts, lay, mirror_all, sequences, source, total, write_row

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def live(engine, notion):
    """A live process, its desk laid in the stand-in."""
    deps = make_deps(engine, testing_mode=False)
    lay(deps, notion)
    write_templates(deps)
    return deps


@pytest.fixture
def one(sqlite, notion):
    deps = make_deps(sqlite, testing_mode=False)
    lay(deps, notion)
    write_templates(deps)
    return deps


def old_row(notion, address="ana@resend.dev", *sent, campaign="Christmas", **more):
    ticks = {f"Email_{number}_Sent": at for number, at in enumerate(sent, start=1) if at}
    return write_row(notion, SEQUENCES_DATABASE_ID, Name="Ana", Email=address, Campaign=campaign, **ticks, **more)


def ago(**span):
    return (NOON - timedelta(**span)).isoformat()


def story(deps, address="ana@resend.dev", sequence="five_day"):
    with deps.reads() as session:
        contact = ledger_contacts.find(session, address)
        found = enrolments.find_latest(session, contact.id, "christmas", sequence, "")
        assert found is not None
        return found


def due(enrolment):
    return [(email.step, email.state, email.due_at) for email in enrolment.emails]


@pytest.mark.both_databases
def test_a_lead_in_mid_sequence_goes_on_where_they_were(live, notion):
    old_row(notion, "ana@resend.dev", ago(days=2, hours=1), ago(days=1, hours=1))
    (carried,) = cut_over(live, dry_run=False)
    assert (carried.did, carried.address) == ("enrolled", "ana@resend.dev")
    assert carried.detail == "christmas/five_day: sent 1, 2; email 3 goes now"
    assert due(story(live)) == [
        (1, "skipped", NOON - timedelta(days=2, hours=1)),
        (2, "skipped", NOON - timedelta(days=1, hours=1)),
        (3, "planned", NOON - timedelta(hours=1)),
        (4, "planned", NOON + timedelta(hours=23)),
        (5, "planned", NOON + timedelta(days=1, hours=23)),
    ]
    assert {email.reason for email in story(live).emails[:2]} == {"sent before the cut-over"}


def test_what_is_due_next_is_sent_and_nothing_twice(one, notion):
    old_row(notion, "ana@resend.dev", ago(days=3), ago(days=2))
    facts = {"Assessment_Score": 38, "Red_Systems": 2, "Weakest_System": "Money"}
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana Lopez", Email="ana@resend.dev", **facts)
    cut_over(one, dry_run=False)
    for email in story(one).emails:
        deliver_due(one, email.id)
    assert [sent["subject"] for sent in one.mailer.sent()] == ["About christmas_email_3"]
    assert "Hi Ana" in one.mailer.sent()[0]["html"]
    late = look(one, story(one).emails[3].id).due_at - (NOON + timedelta(days=1))
    assert timedelta(0) <= late < timedelta(minutes=1), "the one that went late moved it along"
    assert story(one).variables["red_systems"] == 2


@pytest.mark.both_databases
def test_a_second_import_changes_nothing(live, notion):
    old_row(notion, "ana@resend.dev", ago(days=1))
    cut_over(live, dry_run=False)
    before = due(story(live))
    assert cut_over(live, dry_run=False) == [], "the row is ours now"
    assert due(story(live)) == before


@pytest.mark.both_databases
def test_a_dry_run_says_all_and_does_nothing(live, notion):
    old_row(notion, "ana@resend.dev", ago(days=1))
    opt_in(live, "bea@resend.dev")
    assess(live, "bea@resend.dev")
    old_row(notion, "bea@resend.dev", ago(minutes=3))
    told = [(each.did, each.detail) for each in cut_over(live, dry_run=True)]
    assert told == [
        ("enrolled", "christmas/five_day: sent 1; email 2 goes now"),
        ("closed", "christmas/five_day: sent 1; closed 1; email 2 goes 25 November 12:00 UTC"),
    ]
    with live.reads() as session:
        assert session.scalar(select(func.count(Contact.id))) == 1
        assert session.scalar(select(func.count(Enrolment.id))) == 2
        assert session.scalar(select(func.count(Email.id)).where(Email.state == "skipped")) == 0
    assert [each.did for each in cut_over(live, dry_run=False)] == ["enrolled", "closed"]


def test_steps_that_went_are_closed_in_an_enrolment_that_is_there(one, notion):
    ids = email_ids(assess(one))
    old_row(notion, "ana@resend.dev", ago(minutes=1))
    cut_over(one, dry_run=False)
    assert (look(one, ids[0]).state, look(one, ids[0]).reason) == ("skipped", "sent before the cut-over")
    assert look(one, ids[1]).state == "planned"
    deliver_due(one, ids[0])
    assert one.mailer.sent() == []


def test_what_funnel_has_sent_itself_stays_as_it_is(one, notion):
    ids = email_ids(assess(one))
    deliver_due(one, ids[0])
    old_row(notion, "ana@resend.dev", ago(minutes=1))
    (carried,) = cut_over(one, dry_run=False)
    assert (carried.did, look(one, ids[0]).state) == ("kept", "sent")


@pytest.mark.both_databases
def test_the_mirror_adopts_the_old_rows(live, notion):
    page = old_row(notion, "ana@resend.dev", ago(days=2), ago(days=1))
    person = write_row(notion, CONTACTS_DATABASE_ID, Name="Ana Lopez", Email="Ana@resend.dev", Notes="VIP")
    cut_over(live, dry_run=False)
    assert total(mirror_all(live))[0] == 0, "no row is made"
    (row,) = sequences(notion)
    assert row["Email 1 Sent"] and row["Email 2 Sent"], "what the old system ticked stays"
    assert (row["Sequence"], row["Status"], row["Next Email"]) == ("five_day", "Running", "christmas_email_3")
    assert (row["Name"], row["Last Problem"], row["Email 1 Sent By"]) == ("Ana", "", None)
    (contact,) = contacts(notion)
    assert (contact["Name"], contact["Notes"], contact["Phase"]) == ("Ana Lopez", "VIP", "Lead")
    assert story(live).notion_page_id == page.id
    with live.reads() as session:
        assert ledger_contacts.find(session, "ana@resend.dev").notion_page_id == person.id


def test_a_sequence_that_was_through_is_never_started_again(one, notion):
    old_row(notion, "ana@resend.dev", *[ago(days=9 - number) for number in range(5)])
    (carried,) = cut_over(one, dry_run=False)
    assert carried.detail == "christmas/five_day: sent 1, 2, 3, 4, 5; nothing more is to come"
    sweep(one)
    assert story(one).state == "completed"
    assert assess(one).status == "duplicate"
    mirror_all(one)
    assert sequences(notion)[0]["Status"] == "Completed"


def test_a_sequence_that_the_row_calls_completed_sends_nothing_more(one, notion):
    old_row(notion, "ana@resend.dev", ago(days=2), Sequence_Completed=True)
    cut_over(one, dry_run=False)
    assert [email.state for email in story(one).emails] == ["skipped"] * 5
    assert story(one).emails[4].reason == "the sequence had ended before the cut-over"


def test_a_step_that_was_left_out_does_not_come_after_later_ones(one, notion):
    old_row(notion, "ana@resend.dev", ago(days=2), None, ago(hours=1))
    cut_over(one, dry_run=False)
    assert [email.state for email in story(one).emails] == ["skipped"] * 3 + ["planned"] * 2
    assert story(one).emails[3].due_at == NOON + timedelta(hours=23)


def test_a_tick_without_a_time_counts_from_the_rows_beginning(one, notion):
    table = source(notion, SEQUENCES_DATABASE_ID)
    table.properties |= read_schema({f"Email {number} Sent": {"checkbox": {}} for number in range(1, 6)})
    page = old_row(notion, "ana@resend.dev", True, True, None)
    page.created_at = NOON - timedelta(days=1, hours=20)
    lay(one, notion, ready=False)
    cut_over(one, dry_run=False)
    assert [email.state for email in story(one).emails][:3] == ["skipped", "skipped", "planned"]
    assert story(one).emails[2].due_at == NOON + timedelta(hours=4)
    mirror_all(one)
    assert notion.sandbox.notion.pages[page.id].values["Email 1 Sent"] is True, "a tick is not undone"


def test_a_day_without_a_time_means_ten_in_the_morning_of_the_business(one, notion):
    old_row(notion, "ana@resend.dev", "2026-11-23")
    cut_over(one, dry_run=False)
    assert story(one).emails[1].due_at == datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("campaign", ["christmas", "Christmas Surge", "CHRISTMAS 2025", "five_day", "Five Day"])
def test_a_campaign_is_known_by_its_names(one, notion, campaign):
    old_row(notion, "ana@resend.dev", ago(days=1), campaign=campaign)
    assert cut_over(one, dry_run=False)[0].did == "enrolled"
    assert story(one).sequence == "five_day"


def test_the_sequence_column_wins_over_the_campaign(one, notion):
    old_row(notion, "ana@resend.dev", ago(days=1), Sequence="Lead Nurture")
    cut_over(one, dry_run=False)
    assert story(one, sequence="lead_nurture").emails[0].state == "skipped"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"address": "no address"}, "no address is not an email address"),
        ({"campaign": "Easter"}, "“Easter” is no campaign; there are christmas, lead_nurture, five_day"),
        ({"campaign": "precall_prep"}, "precall_prep is about one call, and the row does not say which"),
    ],
)
def test_a_row_that_is_unclear_is_named_and_the_others_go_on(one, notion, row, words):
    old_row(notion, row.get("address", "bad@resend.dev"), campaign=row.get("campaign", "Christmas"))
    old_row(notion, "ana@resend.dev", ago(days=1))
    unclear, carried = cut_over(one, dry_run=False)
    assert unclear.did == "not understood" and unclear.detail.startswith(words)
    assert carried.did == "enrolled"


def test_who_is_suppressed_or_has_booked_in_notion_gets_nothing_more(one, notion):
    for name, more in (("ana", {"Suppressed": True}), ("bea", {"Booking_Status": "Booked"})):
        write_row(notion, CONTACTS_DATABASE_ID, Name=name, Email=f"{name}@resend.dev", **more)
        old_row(notion, f"{name}@resend.dev", ago(days=1))
    told = [each.detail for each in cut_over(one, dry_run=False)]
    assert told[0].endswith("it ends: mail was stopped in Notion before the cut-over")
    assert told[1].endswith("it ends: booked a call before the cut-over")
    assert [email.state for email in story(one).emails] == ["skipped"] + ["cancelled"] * 4
    with one.reads() as session:
        assert suppressions.find(session, "ana@resend.dev", one.settings.secret_key, "marketing") is not None


def test_what_the_hooks_told_since_wins(one, notion):
    enrol(one, call(event=Event.BOOKING, occurrence="e1", call_at=NOON + timedelta(days=4)))
    write_row(notion, CONTACTS_DATABASE_ID, Name="Somebody else", Email="ana@resend.dev", Assessment_Score=12)
    old_row(notion, "ana@resend.dev", ago(days=1))
    (carried,) = cut_over(one, dry_run=False)
    assert carried.detail.endswith("it ends: booked a call on 24 November")
    with one.reads() as session:
        contact = ledger_contacts.find(session, "ana@resend.dev")
    assert (contact.first_name, contact.properties["assessment_score"]) == ("Ana", 12)


def test_a_persons_own_columns_become_variables(one, notion):
    table = source(notion, CONTACTS_DATABASE_ID)
    table.properties |= read_schema(
        {"GPS Score": {"number": {}}, "Strongest System": {"rich_text": {}}, "First Name": {"rich_text": {}}}
    )
    page = write_row(notion, CONTACTS_DATABASE_ID, Name="Win at bit.ly", Email="ana@resend.dev")
    page.values |= {"GPS Score": 45, "Strongest System": plain("Team"), "First Name": plain("Ana")}
    old_row(notion, "ana@resend.dev", ago(days=1))
    cut_over(one, dry_run=False)
    variables = story(one).variables
    assert (variables["gps_score"], variables["strongest_system"]) == (45, "Team")
    with one.reads() as session:
        contact = ledger_contacts.find(session, "ana@resend.dev")
    assert (contact.first_name, contact.name) == ("Ana", "Ana"), "a link is no name; the sequence's row has one"


class TestCommand:
    """`flask notion import`."""

    def run(self, deps, *arguments):
        return application(deps).test_cli_runner().invoke(args=["notion", "import", *arguments])

    def test_it_tells_each_row_and_the_sum(self, one, notion):
        old_row(notion, "ana@resend.dev", ago(days=1))
        old_row(notion, "bea@resend.dev", campaign="Easter")
        told = self.run(one, "--dry-run")
        assert told.exit_code == 1
        assert "enrolled       ana@resend.dev" in told.output and "not understood bea@resend.dev" in told.output
        assert told.output.strip().endswith("Would be: 1 enrolled, 1 not understood.")
        notion.sandbox.notion.pages.popitem()
        told = self.run(one)
        assert (told.exit_code, told.output.strip().splitlines()[-1]) == (0, "1 enrolled.")
        assert self.run(one).output == "no rows of the old system.\n"

    def test_testing_mode_is_said(self, deps, notion):
        lay(deps, notion)
        old_row(notion, "ana@resend.dev", ago(minutes=3))
        assert "what is enrolled now is a test" in self.run(deps).output
        assert story(deps).emails[1].due_at == NOON - timedelta(minutes=2)

    def test_without_the_database_there_is_nothing_to_read(self, deps):
        told = self.run(deps)
        assert told.exit_code == 1 and "NOTION_SEQUENCES_DB_ID is not set" in told.output
