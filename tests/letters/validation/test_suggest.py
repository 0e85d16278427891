"""What somebody meant who wrote a name that is not known, as a person would say it."""

import pytest

from funnel_app.campaigns.catalogue import NAMES
from funnel_app.letters.validation.suggest import suggest


@pytest.mark.parametrize(
    "written",
    ["firstname", "First_Name", "FIRST_NAME", "firstName", "first name", "first-name", "name", "fname", "frist_name"],
)
def test_every_way_to_write_the_first_name_is_known(written):
    assert suggest(written, NAMES) == "first_name"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("bussiness_name", "business_name"),
        ("unsub_url", "unsubscribe_url"),
        ("deadline_days", "days_to_deadline"),
        ("score", "assessment_score"),
        ("calendly", "calendly_link"),
        ("portal", "portal_url"),
        ("last_name", None),
        ("city", None),
        ("url", None),
        ("date", None),
        ("x", None),
        ("", None),
    ],
)
def test_what_a_person_would_not_be_sure_of_is_not_suggested(written, meant):
    assert suggest(written, NAMES) == meant
