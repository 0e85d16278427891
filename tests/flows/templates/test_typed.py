"""What strangers typed stands in letters as they typed it, and no mail program makes a link of it."""

import pytest

from funnel_app.campaigns.links import APART
from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.templates.compose import gather, variables_of
from tests.flows.leads import call, email_ids, look, opt_in


def shown(deps, receipt) -> dict[str, object]:
    email = look(deps, email_ids(receipt)[0])
    return variables_of(deps, email, gather(deps, {("christmas", email.template_key)}))


def test_what_was_typed_reads_the_same_and_is_no_link(deps):
    maybe = enrol(
        deps,
        call(
            event=Event.MAYBE,
            contact={"first_name": "J.Co", "business_name": "Hair.Co"},
            call_at=deps.now(),
            variables={"objections": ["see evil.ai", "Call +1 888 555 0100"], "call_date": "2026-11-24T10:00:00Z"},
        ),
    )
    found = shown(deps, maybe)
    typed = {name: str(found[name]) for name in ("first_name", "business_name", "objections")}
    assert {name: text.replace(APART, "") for name, text in typed.items()} == {
        "first_name": "J.Co",
        "business_name": "Hair.Co",
        "objections": "see evil.ai and Call +1 888 555 0100",
    }
    assert not any(link in text for text in typed.values() for link in ("r.C", "l.ai", "88"))


@pytest.mark.parametrize("own", ["calendly_link", "unsubscribe_url", "pdf_download_link", "company_address", "email"])
def test_what_is_ours_stays_as_it_is(deps, own):
    assert APART not in str(shown(deps, opt_in(deps))[own])


def test_the_year_is_that_of_the_business(deps):
    receipt = opt_in(deps)
    deps.now.forward(days=37, hours=16, minutes=30)
    assert (deps.now().year, shown(deps, receipt)["current_year"]) == (2027, 2026)
    deps.now.forward(hours=1)
    assert shown(deps, receipt)["current_year"] == 2027
