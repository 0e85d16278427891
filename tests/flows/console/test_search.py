"""The box on every page: a lead, an email, a text or a call is found by whatever somebody knows of it."""

from itertools import product

import pytest
from sqlalchemy import select

from funnel_app.campaigns.segments import SEGMENTS, segment_of
from funnel_app.campaigns.states import State
from funnel_app.flows.console.leads import all_leads, count_leads, find_lead
from funnel_app.flows.console.search import find
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import Contact, Email, Message
from funnel_app.ledger.queries.leads import Wanted, in_segment
from tests.console_world import enter_day, send, sign_up
from tests.flows.leads import email_ids, look, write_templates


@pytest.fixture
def world(deps):
    return enter_day(deps)


@pytest.mark.both_databases
def test_each_kind_is_found_by_what_one_has_of_it(deps, world):
    first = world["delivered"]
    email_id = email_ids(first)[0]
    address = "delivered+ana0@resend.dev"
    for words in ("ANA0@", "salon ana", str(first.contact_id), str(first.enrolment_id), str(email_ids(first)[4])):
        assert address in [row.contact.email for row in find(deps, words).leads], words
    sent = find(deps, str(email_id)).emails[0]
    assert find(deps, look(deps, email_id).resend_id).emails == [sent]
    assert sent in find(deps, sent.subject.upper()).emails
    assert [text.key for text in find(deps, "christmas_email_1").texts] == ["christmas_email_1"]
    assert [call["id"] for call in find(deps, str(first.hook_id)).calls] == [str(first.hook_id)]
    # In the same world: on PostgreSQL it takes more than a second to fill one.
    a_version_of_a_text_is_found_by_what_is_shown_of_it_and_a_job_by_what_it_sends(deps, world)


def a_version_of_a_text_is_found_by_what_is_shown_of_it_and_a_job_by_what_it_sends(deps, world) -> None:
    key = "christmas_email_1"
    with deps.reads() as session:
        version = template_versions.find_latest(session, key)
        request_id = session.scalars(select(Message.request_id).limit(1)).one()
    for words in (version.hash[:8], version.hash[:8].upper(), version.hash, f" {version.hash[:12]} ", str(version.id)):
        assert [(each.key, each.id) for each in find(deps, words).versions] == [(key, version.id)], words
    assert [find(deps, words).versions for words in (version.hash[:7], version.hash[1:])] == [[], []]
    email_id = email_ids(world["delivered"])[0]
    assert [each.id for each in find(deps, f"email-{email_id}").emails] == [email_id]
    assert find(deps, f"request-{request_id}").emails == find(deps, str(request_id)).emails != []


@pytest.mark.both_databases
def test_a_telephone_number_is_found_however_it_is_written(deps):
    payload = {"email": "delivered+tel@resend.dev", "phone": "+1 (416) 555-0134"}
    refuse(deps, campaign="christmas", hook="signup", payload=payload, errors={"x": ["y"]})
    for typed in ("+1 416 555-0134", "4165550134", "(416) 555.01", "416/5550134"):
        assert [call["email"] for call in find(deps, typed).calls] == ["delivered+tel@resend.dev"], typed


def test_what_is_nobodys_finds_nothing(deps):
    write_templates(deps)
    send(deps, sign_up(deps, 0))
    refuse(deps, campaign="christmas", hook="signup", payload={"phone": "+1 416 555 1234"}, errors={})
    nobodys = ("", "a", "0" * 36, "nobody at all", "1234", "%", "_" * 5, "'; drop")
    assert [words for words in nobodys if find(deps, words)] == []


@pytest.mark.both_databases
def test_a_segment_is_the_same_for_the_list_as_for_a_letter(deps):
    counts = (None, 0, 1, 2, 3)
    with deps.sessions.begin() as session:
        for number, (red, orange) in enumerate(product(counts, counts)):
            facts = {"red_systems": red, "orange_systems": orange}
            given = {name: value for name, value in facts.items() if value is not None}
            now = deps.now()
            address = f"{number}@resend.dev"
            names = {"email": address, "email_norm": address, "unsubscribe_token": str(number)}
            session.add(Contact(**names, properties=given, created_at=now, updated_at=now))
    with deps.reads() as session:
        everybody = list(session.scalars(select(Contact)))
        for name in SEGMENTS:
            found = {row.email for row in session.scalars(select(Contact).where(in_segment(name)))}
            assert found == {each.email for each in everybody if segment_of(each.properties) == name} != set(), name


@pytest.mark.both_databases
def test_leads_are_counted_by_the_email_that_goes_next(deps):
    write_templates(deps)
    first = sign_up(deps, 0)
    for lead in (first, sign_up(deps, 1)):
        send(deps, lead)
    sign_up(deps, 2)
    upcoming = look(deps, email_ids(first)[1])
    found = {row.contact.email: row for row in all_leads(deps, Wanted(next=upcoming.template_key))}
    assert found["delivered+ana0@resend.dev"].next.at == upcoming.due_at
    assert {row.next.title for row in found.values()} == {deps.registry.title_of_email(upcoming.template_key)}
    assert count_leads(deps.reads, Wanted(next=upcoming.template_key)) == len(found) == 2


@pytest.mark.both_databases
@pytest.mark.parametrize(("state", "words"), [(State.AMBIGUOUS, "in doubt"), (State.HELD, "held")])
def test_the_list_names_an_email_that_waits_for_a_person_as_the_next_as_the_leads_page_does(deps, state, words):
    write_templates(deps)
    lead, other = sign_up(deps, 0), sign_up(deps, 1)
    stuck = look(deps, email_ids(lead)[0])
    with deps.sessions.begin() as session:
        session.get(Email, stuck.id).state = state
    found = {row.contact.id: row.next for row in all_leads(deps, Wanted(next=stuck.template_key))}
    shown = find_lead(deps, lead.contact_id).next
    assert found[lead.contact_id].title == shown.title == deps.registry.title_of_email(stuck.template_key)
    assert found[lead.contact_id].waits == words and shown.waits.startswith(words)
    assert found[other.contact_id].waits is None
