"""People call a sequence by its name or by its title, in whatever letters they write it."""

from dataclasses import replace

import pytest

from funnel_app.campaigns.called import as_choice
from funnel_app.campaigns.registry import Registry, UnknownCampaign
from tests.factories import christmas_only


@pytest.fixture
def registry():
    return christmas_only()


@pytest.mark.parametrize(
    "words",
    ["five_day", "christmas/five_day", "FIVE_DAY", "Five-day follow-up", "  five-day\u00a0 FOLLOW-UP "],
)
def test_a_sequence_is_found_by_its_name_or_title_in_whatever_letters(registry, words):
    assert registry.named(words)[1].name == "five_day"


def test_a_title_is_found_as_notion_can_hold_it_and_a_name_goes_before_a_title(registry):
    campaign = registry.campaign("christmas")
    long = f"Now, then: {'a very ' * 20}long title"
    titled = {
        "five_day": replace(campaign.sequences["five_day"], title=long),
        "lead_nurture": replace(campaign.sequences["lead_nurture"], title="Five_day"),
    }
    known = Registry({"christmas": replace(campaign, sequences=titled)})
    assert len(as_choice(long)) <= 100 and "," not in as_choice(long)
    assert known.named(as_choice(long))[1].name == known.named(long)[1].name == known.named("five_day")[1].name
    with pytest.raises(
        UnknownCampaign, match=r"no sequence easter; there are christmas/five_day, christmas/lead_nurture\."
    ):
        known.named("easter")


def test_a_name_that_several_campaigns_have_is_found_by_its_campaign_alone(registry):
    campaign = registry.campaign("christmas")
    twice = {key: replace(each, campaign="spring") for key, each in campaign.sequences.items()}
    known = Registry({"christmas": campaign, "spring": replace(campaign, name="spring", sequences=twice)})
    found = known.named("spring/five_day")
    assert (found[0].name, found[1].campaign) == ("spring", "spring")
    with pytest.raises(UnknownCampaign, match="Several campaigns have sequence five_day; there are christmas/lead"):
        known.named("five_day")
