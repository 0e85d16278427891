"""Receipt: the response to a hook's caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from funnel_app.ledger.models import Email
from funnel_app.rules.facts import EmailFacts
from funnel_app.rules.states import Outcome


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The response to a hook, in the contract's words."""

    status: Outcome
    hook_id: UUID
    contact_id: UUID
    handler: str
    enrolment_id: UUID | None
    ended: Sequence[dict[str, str]]
    emails: Sequence[dict[str, Any]]
    reason: str | None

    @property
    def http_status(self) -> int:
        """202 if something was started, 200 if not."""
        return 202 if self.status is Outcome.ACCEPTED else 200

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> "Receipt":
        """Return the receipt of a stored response."""
        enrolment_id = answer["enrolment_id"]
        return cls(
            status=Outcome(answer["status"]),
            hook_id=UUID(answer["hook_id"]),
            contact_id=UUID(answer["contact_id"]),
            handler=answer["handler"],
            enrolment_id=UUID(enrolment_id) if enrolment_id else None,
            ended=answer["ended"],
            emails=answer["emails"],
            reason=answer["reason"],
        )

    def as_json(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {
            "status": self.status.value,
            "hook_id": str(self.hook_id),
            "contact_id": str(self.contact_id),
            "handler": self.handler,
            "enrolment_id": str(self.enrolment_id) if self.enrolment_id else None,
            "ended": list(self.ended),
            "emails": list(self.emails),
            "reason": self.reason,
        }


def email_as_json(email: Email | EmailFacts) -> dict[str, Any]:
    """Return one email as hooks' responses show it."""
    return {
        "id": str(email.id),
        "step": email.step,
        "template": email.template_key,
        "due_at": iso(email.due_at),
        "state": str(email.state),
        "reason": email.reason,
    }


def iso(at: datetime) -> str:
    """Return a time as responses write it: UTC, whole seconds, a Z."""
    # Its last six characters are the offset of UTC.
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:-6]}Z"
