"""`flask notion`, over HTTP: what the owner's databases lack, adding it, and repairing rows by comparison."""

import pytest

from funnel_app.flows.mirror.mirror import mirror_is_behind
from funnel_app.flows.sending.deliver import deliver
from funnel_app.ledger import contacts as ledger_contacts
from funnel_app.ledger import enrolments
from sandbox.notion.state import (
    CONTACTS_DATABASE_ID,
    SEQUENCES_DATABASE_ID,
    TEMPLATES_DATABASE_ID,
    WORKSPACE_PAGE_ID,
    read_schema,
)
from sandbox.server import Server
from sandbox.settings import Fault
from tests.flows.leads import assess, email_ids, opt_in, write_templates
from tests.flows.mirror.workspaces import IDS, calls, contacts, lay, mirror_all, pages, sequences, source, write_row


@pytest.fixture
def notion(running, deps) -> Server:
    running.sandbox.forget()
    lay(deps, running, ready=False, templates=TEMPLATES_DATABASE_ID, **IDS)
    return running


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(args=["notion", *arguments])


def test_check_names_each_property_that_is_missing_or_mistyped(run, notion):
    table = source(notion, CONTACTS_DATABASE_ID)
    table.properties |= read_schema({"Segment": {"number": {}}, "Phase": {"rich_text": {}}})
    told = run("check")
    assert told.exit_code == 1
    lines = told.output.splitlines()
    assert lines[0] == "Email Templates: every property is there"
    assert "Contacts: “Business Name” (rich_text) is missing; flask notion init adds it" in lines
    assert "Contacts: “Segment” is number and should be select or rich_text; change its type in Notion" in lines
    assert not any("Phase" in line for line in lines), "text will do"
    assert "Email Sequence: “Last Problem” (rich_text) is missing; flask notion init adds it" in lines


def test_init_adds_what_is_missing_and_leaves_all_else(run, notion):
    before = {**source(notion, SEQUENCES_DATABASE_ID).properties}
    table = source(notion, CONTACTS_DATABASE_ID)
    table.properties |= read_schema({"Segment": {"number": {}}})
    told = run("init")
    assert told.exit_code == 0
    assert told.output.splitlines()[0] == "Email Templates: added nothing, all is there"
    assert "Contacts: added Business Name, Phase, Assessment Score" in told.output
    after = source(notion, SEQUENCES_DATABASE_ID).properties
    assert {name: after[name] for name in before} == before
    assert [option["name"] for option in after["Status"].config["options"]] == [
        "Running",
        "Paused",
        "Completed",
        "Stopped",
    ]
    assert table.properties["Segment"].type == "number" and "Notes" in table.properties
    assert run("check").output.count("should be") == 1
    assert "nothing" in run("init").output.splitlines()[1]


def test_a_title_of_another_name_is_a_persons_to_rename(run, notion):
    table = source(notion, CONTACTS_DATABASE_ID)
    table.properties = {("Person" if name == "Name" else name): prop for name, prop in table.properties.items()}
    table.properties["Person"].name = "Person"
    assert "Contacts: “Name” is missing; rename the title property “Person” to it" in run("check").output
    run("init")
    assert "Name" not in table.properties


@pytest.mark.both_databases
def test_what_could_not_be_written_before_init_is_written_after_it(run, deps, notion):
    assess(deps)
    mirror_all(deps)
    assert "Phase" not in contacts(notion)[0]
    run("init")
    mirror_all(deps)
    assert contacts(notion)[0]["Phase"] == "Assessed"
    assert len(contacts(notion)) == len(sequences(notion)) == 1


def test_databases_that_are_not_set_are_named_and_made_below_a_page(run, deps, notion):
    lay(deps, notion, ready=False, templates=TEMPLATES_DATABASE_ID)
    assert "Contacts: not set, so it is not mirrored (NOTION_CONTACTS_DB_ID)" in run("check").output
    assert "Email Sequence: not set" in run("init").output
    told = run("init", "--under", WORKSPACE_PAGE_ID).output.splitlines()
    made = {line.split(":")[0]: line.rsplit("=", 1)[1] for line in told if "made; set NOTION_" in line}
    lay(deps, notion, ready=False, contacts=made["Contacts"], sequences=made["Email Sequence"])
    assert run("check").exit_code == 0


def test_a_database_that_is_not_shared_is_said_with_what_to_do(run, deps, notion):
    lay(deps, notion, ready=False, contacts=WORKSPACE_PAGE_ID)
    told = run("check")
    assert told.exit_code == 1 and "or check its id." in told.output
    notion.sandbox.settings.notion.fail = [Fault(status=401)]
    assert "401 unauthorized" in run("init").output


@pytest.fixture
def mirrored(run, deps, notion):
    """Two people in the mirror: one in a sequence, one whose sequence has ended."""
    write_templates(deps)
    run("init")
    opt_in(deps, "ana@resend.dev")
    assess(deps, "ana@resend.dev")
    mirror_all(deps)
    calls(notion)
    return deps


def test_sync_repairs_rows_by_comparison(run, mirrored, notion):
    (contact,) = pages(notion, CONTACTS_DATABASE_ID)
    first, second = pages(notion, SEQUENCES_DATABASE_ID)
    contact.values["Phase"] = {"id": "x", "name": "Client", "color": "default"}
    contact.values["Name"] = [{"plain_text": "Ana M."}]
    first.in_trash = True
    second.values["Delivered"] = 4
    told = run("sync")
    assert told.exit_code == 0
    assert told.output == "1 contact compared: 1 row made, 2 changed.\n"
    assert (contacts(notion)[0]["Phase"], contacts(notion)[0]["Name"]) == ("Assessed", "Ana M.")
    assert [row["Delivered"] for row in sequences(notion)] == [0, 0]
    assert run("sync").output == "1 contact compared: 0 rows made, 0 changed.\n"


def test_sync_asks_little_where_all_is_well(run, mirrored, notion):
    run("sync", "--all")
    assert calls(notion) == {"POST /data_sources/{id}/query": 2}


def test_sync_all_takes_in_those_whose_sequences_have_ended(run, mirrored, notion):
    with mirrored.sessions.begin() as session:
        for page in pages(notion, SEQUENCES_DATABASE_ID):
            page.in_trash = True
        contact = ledger_contacts.find(session, "ana@resend.dev")
        for enrolment in enrolments.of_contact(session, contact.id):
            enrolment.state = "completed"
    assert run("sync").output.startswith("0 contacts compared")
    assert run("sync", "--all").output == "1 contact compared: 2 rows made, 0 changed.\n"


def test_sync_names_doubles_and_leaves_them_to_a_person(run, mirrored, notion):
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana again", Email="ANA@resend.dev")
    assert "ana@resend.dev has more than one row in Contacts" in run("sync").output
    assert len(contacts(notion)) == 2


def test_sync_finds_a_persons_row_in_whatever_case_its_address_is_typed(run, mirrored, notion):
    write_row(notion, CONTACTS_DATABASE_ID, Name="Bea", Email="BEA@Resend.dev")
    opt_in(mirrored, "bea@resend.dev")
    assert "1 row made" in run("sync").output, "her sequence's row alone"
    assert sorted(row["Email"] for row in contacts(notion)) == ["ana@resend.dev", "bea@resend.dev"]


def test_sync_waits_through_refusals_and_outages(run, mirrored, notion):
    pages(notion, SEQUENCES_DATABASE_ID)[0].in_trash = True
    well = [Fault(), Fault()]
    notion.sandbox.settings.notion.fail = [
        *well,
        Fault(status=429, retry_after=40),
        Fault(status=503),
        Fault(drop=True),
    ]
    assert run("sync").output == "1 contact compared: 1 row made, 0 changed.\n"


def test_sync_gives_up_on_a_notion_that_stays_away(run, mirrored, notion):
    pages(notion, SEQUENCES_DATABASE_ID)[0].in_trash = True
    notion.sandbox.settings.notion.fail = [Fault(), Fault()]
    notion.sandbox.settings.notion.fail_always = Fault(status=503)
    told = run("sync")
    assert told.exit_code == 1 and "notion: 503" in told.output
    assert mirror_is_behind(mirrored)


def test_sync_tells_what_notion_refuses(run, mirrored, notion):
    pages(notion, SEQUENCES_DATABASE_ID)[0].in_trash = True
    notion.sandbox.settings.notion.fail = [Fault()] * 3 + [Fault(status=400, message="No.")]
    told = run("sync")
    assert told.exit_code == 1 and "refused: notion: 400 validation_error: No." in told.output


def test_sync_without_a_mirror_says_so(run, deps, notion):
    lay(deps, notion, ready=False, templates=TEMPLATES_DATABASE_ID)
    deliver(deps, email_ids(opt_in(deps))[:1])
    assert "There is no mirror" in run("sync").output
