"""The mirror, over HTTP: a row per person and per enrolment, once each, current, and never over what people own."""

from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.console import operate
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.mirror.mirror import mirror
from funnel_app.flows.mirror.write import Tally
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.ledger import contacts as ledger_contacts
from sandbox.notion.state import CONTACTS_DATABASE_ID, SEQUENCES_DATABASE_ID
from sandbox.settings import Fault
from tests.flows.leads import assess, call, email_ids, opt_in, write_templates
from tests.flows.mirror.workspaces import calls, contacts, lay, mirror_all, pages, sequences, total, write_row
from tests.flows.sending.test_record_event import report


@pytest.mark.both_databases
def test_a_new_lead_becomes_a_contact_and_a_row_of_the_sequence(desk, notion):
    assess(desk)
    assert total(mirror_all(desk)) == (2, 0)
    (contact,) = contacts(notion)
    assert contact["Name"] == "Ana" and contact["Email"] == "ana@resend.dev"
    assert (contact["Segment"], contact["Phase"], contact["Assessment Score"]) == ("CRITICAL", "Assessed", 38)
    assert (contact["Red Systems"], contact["Weakest System"], contact["Suppressed"]) == (2, "Money", False)
    (row,) = sequences(notion)
    assert (row["Campaign"], row["Sequence"], row["Status"]) == ("christmas", "five_day", "Running")
    assert (row["Next Email"], row["Delivered"], row["Sequence Completed"]) == ("christmas_email_1", 0, False)
    assert row["Next Email At"] == desk.now.at.replace(minute=0, second=0)


@pytest.mark.both_databases
def test_a_new_lead_costs_few_calls_and_a_later_change_one(desk, notion):
    write_templates(desk)
    receipts = [opt_in(desk, f"lead{number}@resend.dev") for number in range(4)]
    mirror_all(desk)
    asked = calls(notion)
    assert asked["POST /pages"] == 8
    # The two tables are found and described once, and all four are looked up together.
    assert sum(asked.values()) <= 8 + 2 * 2 + 2
    first = email_ids(receipts[0])[0]
    deliver(desk, [first])
    record_event(desk, report(desk, first))
    mirror_all(desk)
    assert calls(notion) == {"PATCH /pages/{id}": 1}


def test_only_what_changed_is_written(one, notion):
    opt_in(one)
    mirror_all(one)
    (page,) = pages(notion, CONTACTS_DATABASE_ID)
    page.values["Phase"] = {"id": "x", "name": "By hand", "color": "default"}
    enrol(one, call(event=Event.BOOKING, occurrence="e1", call_at=one.now() + timedelta(days=4)))
    mirror_all(one)
    (contact,) = contacts(notion)
    assert (contact["Booking Status"], contact["Phase"]) == ("Booked", "Call booked")
    opt_in(one)
    calls(notion)
    mirror_all(one)
    assert calls(notion) == {}, "a repeated hook changes nothing, and nothing is asked"


@pytest.mark.both_databases
def test_a_lead_that_goes_through_it_all_is_told_in_the_rows(desk, notion):
    write_templates(desk)
    first = email_ids(assess(desk))[0]
    deliver(desk, [first])
    record_event(desk, report(desk, first))
    mirror_all(desk)
    (row,) = sequences(notion)
    assert (row["Delivered"], row["Next Email"], row["Email 1 Sent By"]) == (1, "christmas_email_2", "Funnel")
    assert row["Email 1 Sent"] and not row["Email 2 Sent"]
    enrol(desk, call(event=Event.BOOKING, occurrence="e1", call_at=desk.now() + timedelta(days=4)))
    mirror_all(desk)
    by_sequence = {row["Sequence"]: row for row in sequences(notion)}
    assert by_sequence["five_day"]["Status"] == "Ended: booked a call"
    assert by_sequence["five_day"]["Next Email"] == "" and by_sequence["five_day"]["Next Email At"] is None
    assert by_sequence["precall_prep"]["Status"] == "Running"
    assert len(contacts(notion)) == 1


@pytest.mark.parametrize(
    ("event", "booking", "phase"),
    [
        (Event.BOOKING_CANCELLED, "Cancelled", "Lead"),
        (Event.NO_SHOW, "Missed", "Missed call"),
        (Event.MAYBE, "Held", "Thinking"),
        (Event.ONBOARDING, "Booked", "Client"),
    ],
)
def test_what_became_of_a_call_is_told(one, notion, event, booking, phase):
    at = one.now() + timedelta(days=1)
    enrol(one, call(event=Event.BOOKING, occurrence="e1", call_at=at))
    one.now.forward(days=1)
    enrol(one, call(event=event, occurrence="e1", call_at=at))
    mirror_all(one)
    (contact,) = contacts(notion)
    assert (contact["Booking Status"], contact["Phase"]) == (booking, phase)
    assert contact["Diagnostic Call Date"] == at.replace(second=0)


def test_what_stops_an_email_is_the_last_problem(one, notion):
    deliver(one, email_ids(opt_in(one))[:1])
    mirror_all(one)
    (row,) = sequences(notion)
    assert row["Last Problem"].startswith("email 1 held: template lead_nurture_email_1 in Notion: no page")
    assert row["Next Email"] == "lead_nurture_email_1"


def test_an_email_that_the_website_sent_is_told_as_such(one, notion):
    assess(one, sent_at=one.now() - timedelta(minutes=3))
    mirror_all(one)
    (row,) = sequences(notion)
    assert (row["Email 1 Sent By"], row["Last Problem"]) == ("Website", "")
    assert row["Email 1 Sent"] == one.now.at.replace(hour=11, minute=57, second=0)


def test_who_unsubscribes_is_shown_as_suppressed(one, notion):
    opt_in(one)
    mirror_all(one)
    with one.reads() as session:
        token = ledger_contacts.find(session, "ana@resend.dev").unsubscribe_token
    unsubscribe(one, token)
    mirror_all(one)
    assert contacts(notion)[0]["Suppressed"] is True
    assert sequences(notion)[0]["Status"] == "Stopped"
    assert sequences(notion)[0]["Last Problem"] == "unsubscribed on 24 November"


def test_a_sequence_that_a_person_pauses_resumes_or_stops_is_shown_so(one, notion):
    receipt = opt_in(one)
    told = []
    for change in (operate.pause, operate.resume, operate.stop):
        mirror_all(one)
        change(one, receipt.enrolment_id, "Olga")
        mirror_all(one)
        told.append(sequences(notion)[0]["Status"])
    assert told == ["Paused", "Running", "Stopped"]


@pytest.mark.both_databases
def test_a_contact_of_the_owners_is_found_by_address_and_not_doubled(desk, notion):
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana Maria (VIP)", Email="Ana@Resend.dev", Notes="met at the fair")
    enrol(desk, call("Ana@Resend.dev"))
    assert total(mirror_all(desk)) == (1, 1)
    (contact,) = contacts(notion)
    assert (contact["Name"], contact["Notes"]) == ("Ana Maria (VIP)", "met at the fair")
    assert (contact["Email"], contact["Phase"]) == ("ana@resend.dev", "Lead")


def test_what_people_own_is_never_overwritten(one, notion):
    opt_in(one)
    mirror_all(one)
    (page,) = pages(notion, CONTACTS_DATABASE_ID)
    page.values["Name"] = page.values["Notes"] = [{"plain_text": "Ana of the salon"}]
    enrol(one, call(contact={"first_name": "Anna", "business_name": "Salon Ana"}))
    mirror_all(one)
    (contact,) = contacts(notion)
    assert (contact["Name"], contact["Business Name"]) == ("Ana of the salon", "Salon Ana")
    assert contact["Notes"] == "Ana of the salon"
    enrol(one, call(contact={"first_name": "Anne"}))
    mirror_all(one)
    assert contacts(notion)[0]["Name"] == "Ana of the salon"


def test_what_funnel_wrote_itself_it_may_correct(one, notion):
    enrol(one, call(contact={}))
    mirror_all(one)
    assert contacts(notion)[0]["Name"] == "ana@resend.dev"
    enrol(one, call(contact={"first_name": "Ana"}))
    mirror_all(one)
    assert contacts(notion)[0]["Name"] == "Ana"


@pytest.mark.both_databases
@pytest.mark.parametrize("for_good", [False, True])
def test_a_row_that_a_person_deleted_is_made_again_at_the_next_change(desk, notion, for_good):
    write_templates(desk)
    receipt = opt_in(desk)
    mirror_all(desk)
    for database in (CONTACTS_DATABASE_ID, SEQUENCES_DATABASE_ID):
        (page,) = pages(notion, database)
        if for_good:
            del notion.sandbox.notion.pages[page.id]
        else:
            page.in_trash = True
    assess(desk)
    deliver(desk, email_ids(receipt)[:1])
    mirror_all(desk)
    assert len(contacts(notion)) == 1
    assert sorted(row["Sequence"] for row in sequences(notion)) == ["five_day", "lead_nurture"]


@pytest.mark.parametrize("for_good", [False, True])
def test_a_deleted_row_is_noticed_where_people_own_what_changed_too(one, notion, for_good):
    enrol(one, call(contact={}))
    mirror_all(one)
    (page,) = pages(notion, CONTACTS_DATABASE_ID)
    page.in_trash = True
    if for_good:
        del notion.sandbox.notion.pages[page.id]
    enrol(one, call(contact={"first_name": "Ana"}))
    assert total(mirror_all(one)) == (1, 1)
    assert [row["Name"] for row in contacts(notion)] == ["Ana"]
    notion.sandbox.settings.notion.fail = [Fault(status=401)]
    enrol(one, call(contact={"first_name": "Anna"}))
    one.now.forward(seconds=5)
    assert mirror(one, "tick").refused == ["notion: 401 unauthorized: The sandbox was told to refuse this."]


def test_a_deleted_row_of_whose_person_there_is_another_is_not_doubled(one, notion):
    opt_in(one)
    mirror_all(one)
    for database in (CONTACTS_DATABASE_ID, SEQUENCES_DATABASE_ID):
        (page,) = pages(notion, database)
        notion.sandbox.notion.pages["copy" + database] = type(page)(
            "5a2b0d00-0000-4000-8000-0000000000" + database[-2:],
            page.parent_id,
            page.source_id,
            dict(page.values),
            page.created_at,
            page.edited_at,
        )
        notion.sandbox.notion.pages["5a2b0d00-0000-4000-8000-0000000000" + database[-2:]] = (
            notion.sandbox.notion.pages.pop("copy" + database)
        )
        page.in_trash = True
    assess(one)
    made = total(mirror_all(one))[0]
    assert made == 1, "the new sequence's row alone"
    assert len(contacts(notion)) == 1 and len(sequences(notion)) == 2


def test_rows_that_no_enrolment_has_are_adopted(one, notion):
    write_row(
        notion, SEQUENCES_DATABASE_ID, Name="?", Email="ana@resend.dev", Campaign="Christmas", Sequence="lead_nurture"
    )
    write_row(
        notion, SEQUENCES_DATABASE_ID, Name="?", Email="ana@resend.dev", Campaign="christmas", Sequence="five_day"
    )
    opt_in(one)
    assert total(mirror_all(one)) == (1, 1)
    assert [row["Status"] for row in sequences(notion)] == ["Running", None]


def test_an_email_that_waits_comes_first(one, notion):
    opt_in(one)
    one.now.forward(seconds=5)
    one.queues.email_waits = True
    one.queues.queued.clear()
    assert mirror(one, "tick").people == 0
    assert one.queues.queued == ["mirror-tock"], "and the rest is the next turn's"
    assert one.queues.locks == {}


def test_a_long_run_hands_on_to_the_next_turn(one, notion):
    for number in range(60):
        opt_in(one, f"lead{number}@resend.dev")
    one.now.forward(seconds=5)
    one.queues.queued.clear()
    tally = mirror(one, "tock")
    assert 20 < tally.people < 60
    assert one.queues.queued == ["mirror-tick"]


def test_the_sweep_queues_what_is_behind_once_it_has_settled(one, notion):
    opt_in(one)
    assert sweep(one).mirrored == 0, "changes that come together go out together"
    one.now.forward(seconds=4)
    one.queues.queued.clear()
    assert sweep(one).mirrored == 1
    assert "mirror-tick" in one.queues.queued
    mirror_all(one)
    assert sweep(one).mirrored == 0


def test_without_a_database_there_is_no_mirror(deps):
    opt_in(deps)
    deps.now.forward(seconds=5)
    assert sweep(deps).mirrored == 0
    assert mirror(deps, "tick") == Tally()


@pytest.mark.parametrize("only", ["contacts", "sequences"])
def test_one_table_may_be_mirrored_alone(deps, notion, only):
    lay(deps, notion, **{only: {"contacts": CONTACTS_DATABASE_ID, "sequences": SEQUENCES_DATABASE_ID}[only]})
    opt_in(deps)
    mirror_all(deps)
    assert (len(contacts(notion)), len(sequences(notion))) == ((1, 0) if only == "contacts" else (0, 1))
