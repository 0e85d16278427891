"""What differs between two readings."""

from dataclasses import dataclass

from funnel_app.rules.facts import EmailFacts, EnrolmentFacts
from funnel_app.rules.reading import Reading


@dataclass(frozen=True)
class Change:
    """An enrolment, as it was before, None where it is new, and as it is now."""

    before: EnrolmentFacts | None
    now: EnrolmentFacts

    def emails(self) -> list[tuple[EmailFacts, EmailFacts]]:
        """Return each email of an enrolment that was there, as it was and as it is."""
        return list(zip(self.before.emails, self.now.emails, strict=True)) if self.before else []

    def moved(self) -> list[tuple[EmailFacts, EmailFacts]]:
        """Return those of these emails that came into another state."""
        return [(old, new) for old, new in self.emails() if old.state != new.state]


def enrolments_changed(before: Reading, now: Reading) -> list[Change]:
    """Return the enrolments that are new or differ, in an order of people that is always the same."""
    return [change for address in sorted(now.contacts) for change in _of_contact(address, before, now)]


def _of_contact(address: str, before: Reading, now: Reading) -> list[Change]:
    was = before.contacts.get(address)
    known = {enrolment.id: enrolment for enrolment in was.enrolments} if was else {}
    found = [Change(known.get(enrolment.id), enrolment) for enrolment in now.contacts[address].enrolments]
    return [change for change in found if change.before is not change.now]
