"""Names of templates: which key the name of a page probably means."""

import pytest

from funnel_app.campaigns.names import meaning, nearest

WANTED = {"lead_nurture_email_1": (), "lead_nurture_email_2": (), "noshow_recovery_email_1": ("No-Show 1",)}


@pytest.mark.parametrize(
    ("name", "words", "number"),
    [
        ("5-Day E1: Your Results", "5day", "1"),
        ("Lead Nurture Email 2", "leadnurture", "2"),
        ("lead_nurture_email_02 (copy)", "leadnurture", "2"),
        ("Email one: Lead nurture", "leadnurture", "1"),
        ("Précall prep 3", "precallprep", "3"),
        ("Day 2 of 3", "day2", "3"),
        ("E3 day 7", "day7", "3"),
        ("The final draft of email", "", None),
        ("Welcome", "welcome", None),
        ("Sale: 24 hours", "sale24hours", None),
        ("", "", None),
    ],
)
def test_a_name_means_its_words_and_the_number_of_its_email(name, words, number):
    assert meaning(name) == (words, number)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Lead Nurture E1", "lead_nurture_email_1"),
        ("Lead Nurtur - email 2 (final)", "lead_nurture_email_2"),
        ("Nurture 2", "lead_nurture_email_2"),
        ("no-show 1", "noshow_recovery_email_1"),
        ("Lead Nurture E3", None),
        ("Lead Nurture", None),
        ("Invoice 1", None),
        ("1", None),
    ],
)
def test_the_nearest_key_has_the_same_number_and_much_the_same_words(name, key):
    assert nearest(name, WANTED) == key
    assert nearest(name, {}) is None
