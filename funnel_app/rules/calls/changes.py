"""Changes: what differs between two readings."""

from dataclasses import dataclass

from funnel_app.rules.calls.reading import Reading
from funnel_app.rules.facts import EmailFacts, EnrolmentFacts


@dataclass(frozen=True)
class Change:
    """An enrolment before (None if it is new) and now."""

    before: EnrolmentFacts | None
    now: EnrolmentFacts

    def emails(self) -> list[tuple[EmailFacts, EmailFacts]]:
        """Return each existing email of the enrolment, before and now."""
        return list(zip(self.before.emails, self.now.emails, strict=True)) if self.before else []

    def moved(self) -> list[tuple[EmailFacts, EmailFacts]]:
        """Return the emails whose state changed."""
        return [(old, new) for old, new in self.emails() if old.state != new.state]


def enrolments_changed(before: Reading, now: Reading) -> list[Change]:
    """Return the enrolments that are new or differ, people always in the same order."""
    return [change for address in sorted(now.contacts) for change in _of_contact(address, before, now)]


def _of_contact(address: str, before: Reading, now: Reading) -> list[Change]:
    was = before.contacts.get(address)
    known = {enrolment.id: enrolment for enrolment in was.enrolments} if was else {}
    found = [Change(known.get(enrolment.id), enrolment) for enrolment in now.contacts[address].enrolments]
    return [change for change in found if change.before is not change.now]
