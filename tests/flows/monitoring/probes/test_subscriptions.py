"""Calendly's subscriptions are of an organisation: one tells of every booking, and who hears of it twice is told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from funnel_app.campaigns.registry import Registry, whole_registry
from funnel_app.flows.monitoring.checks.outside import calendly
from funnel_app.flows.monitoring.probes import subscriptions
from funnel_app.flows.monitoring.probes.subscriptions import NotSet, only_needing_calendly
from funnel_app.gateways.http.calendly import EVENTS, Subscription
from tests.factories import make_settings

CHRISTMAS, EVERGREEN = (whole_registry().campaign(name) for name in ("christmas", "evergreen"))
EASTER = replace(CHRISTMAS, name="easter")
ALL_YEAR = replace(EVERGREEN, name="all_year")


def called(name, state="active"):
    return Subscription("S", f"https://funnel.example/webhook/{name}/calendly", state, EVENTS)


@pytest.fixture
def ask(monkeypatch):
    """Ask the doctor of these campaigns while Calendly has these subscriptions."""

    def asked(campaigns, known):
        monkeypatch.setattr(subscriptions, "_calendly", lambda _: SimpleNamespace(find_subscriptions=lambda: known))
        registry = Registry({campaign.name: campaign for campaign in campaigns})
        return list(calendly(SimpleNamespace(settings=make_settings(calendly_token="t"), registry=registry)))

    return asked


@pytest.mark.parametrize(
    ("campaigns", "known", "found"),
    [
        ((CHRISTMAS, EVERGREEN), [called("christmas")], [("ok", "for christmas is active", "")]),
        ((CHRISTMAS, EVERGREEN), [called("christmas"), called("evergreen", "disabled")], [("ok", "christmas is", "")]),
        ((CHRISTMAS, EVERGREEN), [called("evergreen")], [("fault", "not call https://funnel.example", "n christmas")]),
        ((CHRISTMAS, EVERGREEN), [], [("fault", "/webhook/christmas/calendly", "--campaign christmas")]),
        ((EVERGREEN, ALL_YEAR), [called("all_year")], [("ok", "for all_year is active", "")]),
        ((EVERGREEN,), [called("evergreen", "disabled")], [("fault", "is disabled", "--campaign evergreen")]),
        (
            (CHRISTMAS, EASTER),
            [called("christmas")],
            [
                ("fault", "/webhook/easter/calendly", "take its table out of easter.toml"),
                ("ok", "christmas", ""),
            ],
        ),
        (
            (CHRISTMAS, EASTER),
            [called("christmas"), called("easter")],
            [
                (
                    "warning",
                    "each booking starts what it starts in christmas and in easter",
                    "leave Calendly to one",
                )
            ],
        ),
        ((replace(CHRISTMAS, hooks={}),), [], []),
    ],
    ids=lambda value: "+".join(map(str, (getattr(each, "name", "") for each in value))) or None,
)
def test_one_subscription_is_enough_where_no_campaign_needs_its_own(ask, campaigns, known, found):
    said = ask(campaigns, known)
    assert [check.status for check in said] == [status for status, _, _ in found], said
    assert all(words in check.detail and fix in check.fix for check, (_, words, fix) in zip(said, found, strict=True))


def test_subscribing_needs_no_name_where_one_campaign_alone_must_be_told():
    assert only_needing_calendly(Registry({each.name: each for each in (EVERGREEN, CHRISTMAS)})) == "christmas"
    with pytest.raises(NotSet, match="evergreen, all_year"):
        only_needing_calendly(Registry({each.name: each for each in (EVERGREEN, ALL_YEAR)}))
