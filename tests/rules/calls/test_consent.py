"""Consent: its evidence is one call's, whole; and who agreed is not renamed by whoever fills in a form."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.calls.reading import Reading
from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.people.contact import updated
from tests.rules.calls.test_take import call

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOBODY = ContactFacts(email="ana@resend.dev", email_norm="ana@resend.dev", created_at=NOW, updated_at=NOW)
AT, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
WHOLE = {"consent_at": AT, "consent_text": "Yes", "consent_source": "form", "consent_ip": "203.0.113.7"}
ANA = replace(NOBODY, first_name="Ana", business_name="Salon", **WHOLE)
FIELDS = tuple(WHOLE)

SAID = {
    "all again": ({**WHOLE, "consent_at": LATER, "consent_text": "Sure"}, (LATER, "Sure", "form", "203.0.113.7")),
    "when alone": ({"consent_at": LATER}, (LATER, None, None, None)),
    "what alone": ({"consent_text": "Sure"}, (None, "Sure", None, None)),
    "from where alone": ({"consent_ip": "198.51.100.1", "consent_source": "other"}, tuple(WHOLE.values())),
    "nothing": ({"first_name": "Ana"}, tuple(WHOLE.values())),
    "empty": (dict.fromkeys(FIELDS), tuple(WHOLE.values())),
}


@pytest.mark.parametrize("said", SAID)
def test_evidence_is_never_mixed_from_two_calls(said):
    facts, kept = SAID[said]
    after = updated(ANA, ANA.email, facts, NOW)
    assert tuple(getattr(after, name) for name in FIELDS) == kept


def test_the_first_evidence_is_kept_however_little_it_says():
    after = updated(NOBODY, NOBODY.email, {"consent_ip": "198.51.100.1"}, NOW)
    assert (after.consent_ip, after.consent_at) == ("198.51.100.1", None)


NAMED = {"first_name": "Eve", "business_name": "Evil", "name": "Eve Evil"}


@pytest.mark.parametrize(
    ("event", "known", "names"),
    [
        (Event.OPT_IN, ANA, ("Ana", "Salon", "Eve Evil")),
        (Event.ASSESSMENT, ANA, ("Ana", "Salon", "Eve Evil")),
        (Event.ONBOARDING, ANA, ("Eve", "Evil", "Eve Evil")),
        (Event.OPT_IN, replace(NOBODY, first_name="Ana"), ("Eve", "Evil", "Eve Evil")),
    ],
)
def test_a_signup_renames_nobody_who_agreed_before(event, known, names):
    found = Reading(contacts={known.email_norm: known})
    after = found.contact_of(replace(call(event), contact=NAMED), NOW)
    assert (after.first_name, after.business_name, after.name) == names
