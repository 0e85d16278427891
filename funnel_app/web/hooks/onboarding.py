"""Onboarding: a lead paid and is a client now."""

from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields, validate

from funnel_app.campaigns.model import Event
from funnel_app.rules.calls.call import Call
from funnel_app.web.hooks.common import answer, call_of, given, hook_blueprint
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Link, Moment, Several, Words
from funnel_app.web.hooks.hook_schema import HookSchema

blueprint = hook_blueprint("onboarding", "Somebody paid, and is a client now")
VARIABLES = (
    "salon_address",
    "observation_dates",
    "start_date",
    "package_type",
    "portal_url",
    "diagnostic_call_date",
)


class OnboardingSchema(HookSchema):
    """A confirmed payment, with what the welcome emails need."""

    example: ClassVar[dict[str, Any]] = {
        "email": "delivered+ana@resend.dev",
        "payment_confirmed": True,
        "payment_date": "2026-11-24T10:00:00-05:00",
        "package_type": "BusOS Complete",
        "portal_url": "https://portal.businessx.example/ana",
    }

    needed = HookSchema.needed | {"payment_confirmed", "payment_status", "payment_date", *VARIABLES}
    payment_confirmed = fields.Boolean(allow_none=True)
    payment_status = Words(longest=32)
    payment_date = Moment(required=True)
    payment_amount = fields.Float(allow_none=True, validate=validate.Range(0, 1e9))
    docusign_completed = fields.Boolean(allow_none=True)
    salon_address = Words(longest=255)
    observation_dates = Several()
    start_date = Words(longest=64)
    package_type = Words(longest=120)
    portal_url = Link()
    diagnostic_call_date = Words(longest=64)

    def check(self, values: dict[str, Any]) -> None:
        """Refuse an unconfirmed payment."""
        if values.get("payment_confirmed") is False or (
            not values.get("payment_confirmed") and str(values.get("payment_status")).casefold() != "paid"
        ):
            words = 'Not confirmed: send payment_confirmed true or payment_status "paid".'
            raise ValidationError({"payment_confirmed": [words]})


@blueprint.post("/<campaign>/onboarding")
@documented(blueprint, OnboardingSchema)
def receive_onboarding(payload: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Start the welcome emails, and end all marketing."""
    return answer(onboarding_call(campaign, payload))


def onboarding_call(campaign: str, payload: dict[str, Any], **more: Any) -> Call:
    """Return a payment as a Call."""
    variables = given(payload, *VARIABLES)
    return call_of(campaign, "onboarding", Event.ONBOARDING, payload, variables=variables, **more)
