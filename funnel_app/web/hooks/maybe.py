"""Maybe: a lead asked for time to think after a call."""

from typing import Any, ClassVar

from flask.typing import ResponseReturnValue

from funnel_app.campaigns.model import Event
from funnel_app.rules.calls.call import Call
from funnel_app.web.hooks.common import answer, call_of, given, hook_blueprint
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Moment, Several, Words
from funnel_app.web.hooks.hook_schema import HookSchema

blueprint = hook_blueprint("maybe", "After a call somebody asked for time to think")


class MaybeSchema(HookSchema):
    """The outcome of a call that was neither yes nor no."""

    example: ClassVar[dict[str, Any]] = {
        "email": "delivered+ana@resend.dev",
        "call_date": "2026-11-24T10:00:00-05:00",
        "objections": ["price", "time"],
    }

    needed = HookSchema.needed | {"call_date"}
    call_date = Moment(required=True)
    call_outcome = Words(longest=255)
    call_notes = Words(longest=5000)
    objections = Several()
    objection = Words(longest=255)
    follow_up_priority = Words(longest=64)
    interest_level = Words(longest=64)


@blueprint.post("/<campaign>/maybe")
@documented(blueprint, MaybeSchema)
def receive_maybe(payload: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Start the emails for somebody who needs to think."""
    return answer(maybe_call(campaign, payload))


def maybe_call(campaign: str, payload: dict[str, Any], **more: Any) -> Call:
    """Return a maybe as a Call."""
    objections = payload.get("objections") or payload.get("objection")
    variables = given({**payload, "objections": objections}, "call_date", "objections")
    return call_of(campaign, "maybe", Event.MAYBE, payload, call_at=payload["call_date"], variables=variables, **more)
