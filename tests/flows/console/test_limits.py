"""A limit of marketing says where it does not hold, since who tries it out there would look for it in vain."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import AtMost
from funnel_app.flows.console.sequences import limit_of


@pytest.mark.parametrize("testing_mode", [True, False])
def test_a_limit_says_that_testing_mode_knows_none(deps, testing_mode):
    trying = replace(deps, settings=replace(deps.settings, testing_mode=testing_mode))
    campaign = replace(deps.registry.campaign("christmas"), at_most=AtMost(1, timedelta(hours=20)))
    words = limit_of(trying.mode, campaign)
    assert words.startswith("One lead gets no more than 1 marketing email in 20 hours")
    assert ("What would a lead get?" in words) == testing_mode
