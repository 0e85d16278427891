"""The mirror in trouble: lost answers, outages, refused rows, missing tables, and several of it at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from funnel_app.flows.intake.end import end_all
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.mirror.mirror import mirror, mirror_is_behind, mirror_some
from funnel_app.flows.mirror.write import Tally
from funnel_app.ledger import contacts as ledger_contacts
from funnel_app.ledger import enrolments, mirrored
from funnel_app.ledger.models import Contact, Enrolment
from sandbox.notion.state import CONTACTS_DATABASE_ID, read_schema
from sandbox.settings import Fault
from tests.flows.leads import assess, opt_in
from tests.flows.mirror.workspaces import calls, contacts, lay, mirror_all, sequences, source


@pytest.mark.both_databases
def test_racing_mirrors_write_each_row_once(desk, notion):
    addresses = [f"lead{number}@resend.dev" for number in range(5)]
    for address in addresses:
        opt_in(desk, address)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: mirror_some(desk, Tally()), range(16)))
    mirror_all(desk)
    assert sorted(row["Email"] for row in contacts(notion)) == addresses
    assert sorted(row["Email"] for row in sequences(notion)) == addresses


@pytest.mark.both_databases
def test_a_lost_answer_makes_no_second_row(desk, notion):
    opt_in(desk)
    desk.now.forward(seconds=5)
    desk.desk.contacts.types(), desk.desk.sequences.types()
    # The lookups go well; then the row is made, and its answer never arrives.
    notion.sandbox.settings.notion.fail = [Fault(), Fault(), Fault(lost_answer=True)]
    mirror(desk, "tick")
    assert len(contacts(notion)) == 1 and not sequences(notion)
    assert not mirror_is_behind(desk), "nobody tries again before Notion must have settled it"
    desk.now.forward(seconds=91)
    mirror_all(desk)
    assert len(contacts(notion)) == 1 and len(sequences(notion)) == 1


def test_a_storm_of_refusals_loses_no_write(desk, notion):
    for number in range(3):
        assess(desk, f"lead{number}@resend.dev")
    storm = [Fault(status=429, retry_after=1), Fault(status=429, retry_after=30), Fault(), Fault(status=529)]
    notion.sandbox.settings.notion.fail = storm * 3
    mirror_all(desk, turns=200)
    assert notion.sandbox.settings.notion.fail == []
    assert sorted(row["Email"] for row in contacts(notion)) == [f"lead{number}@resend.dev" for number in range(3)]
    assert {row["Sequence"] for row in sequences(notion)} == {"five_day"} and len(sequences(notion)) == 3
    assert all(row["Assessment Score"] == 38 for row in contacts(notion))


def test_rows_catch_up_after_an_outage(one, notion):
    notion.sandbox.settings.notion.fail_always = Fault(status=503)
    opt_in(one)
    for _ in range(8):
        one.now.forward(seconds=30)
        sweep(one)
        mirror(one, "tick")
    assert contacts(notion) == [] and mirror_is_behind(one)
    asked = sum(calls(notion).values())
    assert asked <= 8 * 2, "nobody hammers a Notion that is away"
    notion.sandbox.settings.notion.fail_always = None
    mirror_all(one)
    assert len(contacts(notion)) == 1 and len(sequences(notion)) == 1


def test_a_property_that_is_missing_or_of_another_type_holds_nothing_up(deps, notion):
    lay(deps, notion, ready=False)
    table = source(notion, CONTACTS_DATABASE_ID)
    table.properties |= read_schema({"Phase": {"number": {}}, "Assessment Score": {"number": {}}})
    assess(deps)
    mirror_all(deps)
    (contact,) = contacts(notion)
    assert contact.pop("Notes") == ""
    assert contact == {"Name": "Ana", "Email": "ana@resend.dev", "Assessment Score": 38, "Phase": None}


def test_a_refused_person_waits_alone_and_the_reason_is_kept(one, notion):
    opt_in(one, "ana@resend.dev")
    opt_in(one, "bea@resend.dev")
    one.now.forward(seconds=5)
    one.desk.contacts.types(), one.desk.sequences.types()
    notion.sandbox.settings.notion.fail = [Fault(), Fault(), Fault(status=400, message="Segment is strange.")]
    (tally,) = mirror_all(one)
    assert (tally.people, tally.refused) == (1, ["notion: 400 validation_error: Segment is strange."])
    with one.reads() as session:
        ana = ledger_contacts.find(session, "ana@resend.dev")
        assert "Segment is strange" in ana.mirror_error and ana.mirror_stale_since
    one.now.forward(minutes=10)
    mirror_all(one)
    assert len(contacts(notion)) == 2
    with one.reads() as session:
        assert ledger_contacts.find(session, "ana@resend.dev").mirror_error is None


@pytest.mark.parametrize("at_the_lookup", [True, False])
def test_a_table_that_is_not_shared_stops_the_run_at_once(one, notion, at_the_lookup):
    for number in range(4):
        opt_in(one, f"lead{number}@resend.dev")
    one.now.forward(seconds=5)
    one.desk.contacts.types(), one.desk.sequences.types()
    well = [] if at_the_lookup else [Fault(), Fault()]
    notion.sandbox.settings.notion.fail = [*well, Fault(status=404)]
    assert len(mirror(one, "tick").refused) == 1
    assert contacts(notion) == []
    assert mirror_is_behind(one) is not at_the_lookup, "the others need not wait for a person's fault"


def test_a_table_without_addresses_cannot_be_mirrored_and_says_so(one, notion):
    del notion.sandbox.notion.sources[one.desk.contacts._source_id].properties["Email"]
    lay(one, notion, ready=False)
    opt_in(one)
    one.now.forward(seconds=5)
    (refused,) = mirror(one, "tick").refused
    assert refused == "notion: Contacts: “Email” is missing"


def test_one_mirror_at_a_time_occupies_a_worker(one, notion):
    opt_in(one)
    one.now.forward(seconds=5)
    one.queues.locks["mirror"] = "another"
    assert mirror(one, "tick").people == 0
    assert contacts(notion) == []


@pytest.mark.both_databases
def test_a_change_while_a_row_is_written_is_written_next(desk, notion):
    receipt = opt_in(desk)
    desk.now.forward(seconds=5)
    with desk.reads() as session:
        ((contact, (enrolment,)),) = mirrored.load(session, [receipt.contact_id])
    with desk.sessions.begin() as session:
        end_all(session, [enrolments.find(session, enrolment.id)], "unsubscribed", desk.now())
    with desk.sessions.begin() as session:
        mirrored.wrote(session, enrolment, "page", {})
        mirrored.wrote(session, contact, "page", {})
    with desk.reads() as session:
        assert session.get(Enrolment, enrolment.id).mirror_stale_since == desk.now()
        assert session.get(Contact, contact.id).mirror_stale_since is None


def test_who_lost_the_lease_writes_nothing(one, notion, monkeypatch):
    opt_in(one)
    one.now.forward(seconds=5)
    monkeypatch.setattr(mirrored, "renew", lambda *_: False)
    mirror_some(one, Tally())
    assert contacts(notion) == []
