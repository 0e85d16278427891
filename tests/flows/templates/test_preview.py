"""A preview is the very letter that a lead would get, and names whatever that lead lacks."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.variables import NAMES
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.preview import CannotPreview, find_place, preview
from funnel_app.flows.templates.recipient import variables_for
from funnel_app.flows.templates.samples import SAMPLES, sample
from tests.flows.leads import assess, call, email_ids, opt_in

KEY = "christmas_email_1"
BODY = "<p>Hi {{ first_name }}, {{ segment }}: {{ weakest_system_1 }}, {{ deadline_date }}</p>"


def write(deps, html=BODY, key=KEY, **more):
    deps.notebook.write(key, "Hello {{ first_name }}", html, **more)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_lead_has_the_segment_of_its_name_and_every_variable(deps, name):
    values = variables_for(deps, sample(deps, find_place(deps.registry, KEY)[0], name))
    assert values["segment"] == name.upper()
    assert set(values) == set(NAMES)
    write(deps)
    made = preview(deps, KEY, sample_name=name)
    assert made.ok and f"Hi Ana, {name.upper()}" in made.letter.text


def test_a_preview_for_a_lead_is_what_that_lead_gets(deps):
    write(deps, BODY + "<p>{{ unsubscribe_url }}</p>")
    receipt = assess(deps)
    deliver(deps, email_ids(receipt)[:1])
    (sent,) = deps.mailer.sent()
    made = preview(deps, KEY, lead=" ANA@resend.dev ").letter
    assert (made.subject, made.html, made.text, made.to) == (
        sent["subject"],
        sent["html"],
        sent["text"],
        sent["to"][0],
    )


def test_a_lead_is_found_as_the_address_is_typed(deps):
    enrol(deps, replace(call("ana@bücher.example"), email_norm="ana@xn--bcher-kva.example"))
    write(deps)
    assert "Hi Ana" in preview(deps, KEY, lead="Ana@Bücher.example").letter.text


def test_a_lead_who_was_never_in_that_sequence_is_shown_with_what_is_known(deps):
    opt_in(deps)
    write(deps)
    made = preview(deps, KEY, lead="ana@resend.dev")
    assert made.missing == ("segment", "weakest_system_1") and not made.ok
    assert "Hi Ana, ⟦segment⟧: ⟦weakest_system_1⟧, December 5" in made.letter.text


def test_a_variable_that_is_asked_for_first_is_not_missing(deps):
    opt_in(deps)
    write(deps, "<p>{% if segment is defined %}{{ segment }}{% else %}no test yet{% endif %}</p>")
    assert "no test yet" in preview(deps, KEY, lead="ana@resend.dev").letter.text


def test_what_the_lead_s_own_hook_said_is_used(deps):
    key = "precall_prep_email_1"
    write(deps, "<p>{{ call_time }}</p>", key)
    at = datetime(2026, 12, 3, 20, 0, tzinfo=UTC)
    enrol(deps, call(event=Event.BOOKING, occurrence="e1", call_at=at, variables={"call_time": at.isoformat()}))
    assert "Thursday, December 3 at 3:00 PM EST" in preview(deps, key, lead="ana@resend.dev").letter.text


def test_a_text_that_cannot_be_sent_makes_no_letter_and_is_explained(deps):
    write(deps, "<p>{{ first_nam }}</p>")
    made = preview(deps, KEY)
    assert made.letter is None and not made.ok
    assert "first_nam" in made.problems[0].detail
    write(deps, "<p>{{ first_name|round }}</p>")
    assert preview(deps, KEY).problems[0].code == "not_rendered"


@pytest.mark.parametrize(
    ("key", "lead", "words"),
    [
        ("chrismas_email_1", None, "did you mean christmas_email_1?"),
        ("zzz", None, "there are lead_nurture_email_1"),
        (KEY, "nobody@resend.dev", "Nobody with the address nobody@resend.dev"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(deps, key, lead, words):
    with pytest.raises(CannotPreview, match=words.replace("?", r"\?")):
        preview(deps, key, lead=lead)
