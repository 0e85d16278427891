"""What a lead's assessment gives their letters: scores, segment, zone, and tips for the weakest system."""

from collections.abc import Mapping

from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.segments import readiness_zone, segment_of
from funnel_app.campaigns.spoken import rounded

COUNTS = ("red_systems", "orange_systems", "yellow_systems", "green_systems")
SCORES = ("assessment_score", "gps_score", "money_score", "revenue_leak_total")
SYSTEMS = ("weakest_system_1", "weakest_system_2", "strongest_system")
OLD_NAMES = {
    "weakest_system": "weakest_system_1",
    "WeakestSystem1": "weakest_system_1",
    "WeakestSystem2": "weakest_system_2",
    "StrongestSystem": "strongest_system",
    "overall_score": "assessment_score",
}
ONE_DIGIT = 10


def assessment_values(contact: Mapping[str, object], campaign: Campaign) -> dict[str, object]:
    """Return the variables that a lead's assessment gives; none where they took none."""
    if all(contact.get(name) is None for name in ("assessment_score", *COUNTS)):
        return {}
    given = {name: contact.get(name) for name in (*COUNTS, *SCORES, *SYSTEMS)}
    shown = {**given, **{name: _whole(given[name]) for name in (*COUNTS, *SCORES)}}
    return {
        **shown,
        **{new: shown[old] for new, old in OLD_NAMES.items()},
        "segment": segment_of(given),
        **_of_score(given["assessment_score"]),
        **_of_leak(given["revenue_leak_total"]),
        **_tips(campaign, given["weakest_system_1"]),
    }


def _whole(number: object) -> int | None:
    return None if number is None else rounded(float(str(number)))


def _of_score(score: object) -> dict[str, object]:
    return {} if score is None else {"readiness_zone": readiness_zone(float(str(score)))}


def _of_leak(leak: object) -> dict[str, object]:
    if leak is None:
        return {}
    thousands = float(str(leak)) / 1000
    # Below this, rounding to thousands is too coarse: 600 would become 1K.
    return {"TotalRevenueLeak_K": rounded(thousands) if thousands >= ONE_DIGIT else round(thousands, 1)}


def _tips(campaign: Campaign, weakest: object) -> dict[str, object]:
    by_name = {name.casefold(): tips for name, tips in campaign.tips.items()}
    tips = by_name.get(str(weakest).casefold(), by_name.get("default", ()))
    return {f"personalized_tip_{number}": tip for number, tip in enumerate(tips, start=1)}
