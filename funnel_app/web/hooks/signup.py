"""Signup: the website reports an opt-in or a finished assessment."""

from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields, validate

from funnel_app.campaigns.model import Event
from funnel_app.rules.calls.call import Call
from funnel_app.rules.sequences.plan import FirstEmail
from funnel_app.web.hooks.common import answer, call_of, hook_blueprint
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Count, Moment, Name, Words
from funnel_app.web.hooks.hook_schema import HookSchema
from funnel_app.web.replays import entrance

blueprint = hook_blueprint("signup", "Somebody signed up on the website")

COUNTS = ("red_systems", "orange_systems", "yellow_systems", "green_systems")
ASSESSMENT = (
    "assessment_score",
    *COUNTS,
    "gps_score",
    "money_score",
    "weakest_system_1",
    "weakest_system_2",
    "strongest_system",
    "revenue_leak_total",
)


def _score() -> fields.Float:
    return fields.Float(allow_none=True, validate=validate.Range(0, 100))


def _count() -> Count:
    return Count(allow_none=True, validate=validate.Range(0, 8))


class SignupSchema(HookSchema):
    """A signup; it is an assessment if it has a score or any count of systems."""

    example: ClassVar[dict[str, Any]] = {
        "email": "delivered+ana@resend.dev",
        "first_name": "Ana",
        "business_name": "Salon Ana",
        "assessment_score": 38,
        "red_systems": 2,
        "orange_systems": 3,
        "weakest_system_1": "Money",
        "consent": {"at": "2026-11-24T09:00:00-05:00", "text": "Yes, send me the playbook", "source": "website"},
    }

    # An unreadable score must neither turn an assessment into an opt-in, nor leave a gap in its letters.
    needed = HookSchema.needed | {*ASSESSMENT, "email_1_sent_at"}
    assessment_score = _score()
    gps_score = _score()
    money_score = _score()
    red_systems = _count()
    orange_systems = _count()
    yellow_systems = _count()
    green_systems = _count()
    weakest_system_1 = Name()
    weakest_system_2 = Name()
    strongest_system = Name()
    revenue_leak_total = fields.Float(allow_none=True, validate=validate.Range(0, 1e12))
    email_1_sent_at = Moment(allow_none=True)
    email_1_status = Words(longest=32)

    def check(self, values: dict[str, Any]) -> None:
        """Refuse more systems than exist."""
        total = sum(values.get(name) or 0 for name in COUNTS)
        if total > 8:
            words = f"There are 8 systems, and the four counts make {total}."
            raise ValidationError({name: [words] for name in COUNTS if values.get(name)})


@blueprint.post("/<campaign>/signup")
@documented(blueprint, SignupSchema)
def receive_signup(payload: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Start lead nurture for an opt-in, or the five-day sequence for an assessment."""
    return answer(signup_call(campaign, payload, entrance()))


def signup_call(campaign: str, payload: dict[str, Any], by: str, **more: Any) -> Call:
    """Return a signup as a Call."""
    assessed = any(payload.get(name) is not None for name in ("assessment_score", *COUNTS))
    first = FirstEmail(sent_at=payload.get("email_1_sent_at"), status=payload.get("email_1_status"), entrance=by)
    event = Event.ASSESSMENT if assessed else Event.OPT_IN
    return call_of(campaign, "signup", event, payload, ASSESSMENT, first=first, **more)
