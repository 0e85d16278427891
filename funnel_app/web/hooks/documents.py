"""Documentation of hooks: the schemas that validate, and every possible response."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from flask_smorest import Blueprint
from marshmallow import Schema, fields

View = Callable[..., Any]
Proofs = Sequence[Mapping[str, list[str]]]


class Described(Protocol):
    """A schema with an example payload."""

    example: ClassVar[dict[str, Any]]


class PlannedEmail(Schema):
    """One email of a sequence."""

    id = fields.UUID(required=True)
    step = fields.Integer(required=True)
    template = fields.String(required=True)
    due_at = fields.String(required=True, metadata={"format": "date-time"})
    state = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)


class Ended(Schema):
    """One sequence that a call ended."""

    sequence = fields.String(required=True)
    reason = fields.String(required=True)


class Accepted(Schema):
    """The outcome of a call."""

    status = fields.String(required=True, metadata={"enum": ["accepted", "duplicate", "ignored"]})
    hook_id = fields.UUID(required=True, allow_none=True)
    contact_id = fields.UUID(required=True, allow_none=True)
    handler = fields.String(required=True, allow_none=True)
    enrolment_id = fields.UUID(required=True, allow_none=True)
    ended = fields.List(fields.Nested(Ended), required=True)
    emails = fields.List(fields.Nested(PlannedEmail), required=True)
    reason = fields.String(required=True, allow_none=True)


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), metadata={"description": "Faults by field"}
    )


PROBLEMS = {
    400: "Not a JSON object",
    401: "The proof of sender is missing or wrong",
    404: "There is no such campaign",
    405: "Only POST",
    409: "The Idempotency-Key was used for another payload",
    413: "Over 64 KB (a calendar's event: 1 MB)",
    415: "Neither JSON nor a form",
    422: "Fields that cannot be used, named in `errors`; the payload is kept for a replay",
    429: "Too many failures or too many sequences; see Retry-After",
    503: "The ledger cannot be reached; nothing was recorded",
}


CAMPAIGN: Mapping[str, object] = {
    "name": "campaign",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "example": "christmas",
}
KEY: Mapping[str, object] = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key and payload within 24 h are answered as the first time; with another payload: 409",
}
OURS: Proofs = ({"bearer": []}, {"signature": []})


def documented(blueprint: Blueprint, schema: type["Described"], proofs: Proofs = OURS) -> Callable[[View], View]:
    """Validate a view's payload by a schema, and document its responses and authentication."""

    def decorate(view: View) -> View:
        # flask-smorest wraps a view for each response: only the documentation is copied to the view.
        view._apidoc = _with_answers(blueprint, view, proofs)._apidoc  # type: ignore[attr-defined]
        # An instance: from a class webargs would build the schema for every call.
        described: View = blueprint.arguments(schema(), error_status_code=422, example=schema.example)(view)
        return described

    return decorate


def _with_answers(blueprint: Blueprint, view: View, proofs: Proofs) -> Any:
    for status, description in PROBLEMS.items():
        view = blueprint.alt_response(
            status, schema=Problem, description=description, content_type="application/problem+json", success=False
        )(view)
    view = blueprint.alt_response(200, schema=Accepted, description="A duplicate, or out of order: ignored")(view)
    view = blueprint.alt_response(202, schema=Accepted, description="Recorded, with all that follows from it")(view)
    return blueprint.doc(
        operationId=view.__name__, security=[dict(proof) for proof in proofs], parameters=[CAMPAIGN, *_key(proofs)]
    )(view)


def _key(proofs: Proofs) -> list[Mapping[str, object]]:
    return [KEY] if proofs is OURS else []
