"""The demo's scenario: its leads, their moves, and the expected outcome of every email."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.stack import Stack

Answer = tuple[int, dict[str, Any]]
HOOKS = "/webhook/christmas"
ALL_YEAR = "evergreen"
HOOKS_ALL_YEAR = f"/webhook/{ALL_YEAR}"
CALENDAR = "https://calendly.com/businessx/diagnostic-call"
CALENDLY_API = "https://api.calendly.com/scheduled_events"
ASSESSMENT: Mapping[str, Any] = {
    "assessment_score": 38,
    "red_systems": 2,
    "orange_systems": 3,
    "yellow_systems": 2,
    "green_systems": 1,
    "weakest_system_1": "Money",
    "weakest_system_2": "Marketing",
    "strongest_system": "Team",
    "revenue_leak_total": 48500,
}
CALL_IN_INTERVALS = 7
# States of an email that is not over yet.
OPEN = frozenset({"planned", "sending", "sent", "held", "delayed", "ambiguous"})


@dataclass
class Scene:
    """The scenario's setting: the running Funnel, the length of a day, and the time of each call."""

    stack: Stack
    interval: timedelta
    calls: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """One email as the ledger has it."""

    sequence: str
    occurrence: str
    step: int
    state: str
    reason: str

    @property
    def delivered(self) -> bool:
        """Return whether it is delivered."""
        return self.state == "delivered"


@dataclass(frozen=True)
class Move:
    """One move of a lead: after that email was delivered, and after that call."""

    words: str
    act: Callable[[Scene, str], Answer]
    after: tuple[str, int] | None = None
    at_call: str | None = None

    def may_come(self, scene: Scene, emails: Iterable[Observation]) -> bool:
        """Return whether it is time."""
        if self.at_call and datetime.now(UTC) < scene.calls[self.at_call]:
            return False
        return self.after is None or any((e.sequence, e.step) == self.after and e.delivered for e in emails)


@dataclass(frozen=True)
class Expected:
    """The expected outcome of one sequence: all delivered, except skipped and cancelled steps."""

    sequence: str
    occurrence: str = ""
    ended: str | None = None
    skipped: Mapping[int, str] = field(default_factory=dict)
    bounced: bool = False

    def fault(self, email: Observation) -> str | None:
        """Return an email's fault; None if it is delivered, or stopped for the right reason."""
        told = f"email {email.step} is {email.state}" + (f": {email.reason}" if email.reason else "")
        if email.step in self.skipped:
            right = (email.state, email.reason) == ("skipped", self.skipped[email.step])
        elif self.bounced and email.step == 1:
            right = email.state == "bounced"
        else:
            stopped = self.ended is not None and email.state == "cancelled" and email.reason.startswith(self.ended)
            right = email.delivered or stopped
        return None if right else told


@dataclass(frozen=True)
class Lead:
    """One person, their moves, and the expected outcomes."""

    name: str
    moves: tuple[Move, ...]
    expected: tuple[Expected, ...]
    mailbox: str = "delivered"

    @property
    def address(self) -> str:
        """Their address, at Resend's test domain."""
        return f"{self.mailbox}+{self.name.lower()}@resend.dev"


def website(hook: str, *, hooks: str = HOOKS, **fields: Any) -> Callable[[Scene, str], Answer]:
    """Call a hook as the website or the CRM does; a function as a field is evaluated at that time."""

    def act(scene: Scene, address: str) -> Answer:
        told = {name: value() if callable(value) else value for name, value in fields.items()}
        return scene.stack.post(f"{hooks}/{hook}", {"email": address, **told})

    return act


def calendly(kind: str, event: str, **more: Any) -> Callable[[Scene, str], Answer]:
    """Send a signed Calendly event; the call is this many intervals after the booking."""

    def act(scene: Scene, address: str) -> Answer:
        at = scene.calls.setdefault(event, datetime.now(UTC) + CALL_IN_INTERVALS * scene.interval)
        invitee = {
            "uri": f"{CALENDLY_API}/{event}/invitees/I-{event}",
            "event": f"{CALENDLY_API}/{event}",
            "email": address,
            "name": "Dana Roy",
            "timezone": "America/Toronto",
            "reschedule_url": f"https://calendly.com/reschedulings/{event}",
            "scheduled_event": {"start_time": at.isoformat()},
            **more,
        }
        told = {"event": kind, "created_at": now(), "payload": invitee}
        return scene.stack.post_calendly(f"{HOOKS}/calendly", told)

    return act


def answers_newest(scene: Scene, address: str) -> Answer:
    """Answer the newest email, as the lead's mail program would."""
    newest = [email for email in scene.stack.received() if address in email["to"]][-1]
    scene.stack.write({"answers": newest["id"], "text": "Yes, please call me."})
    # A mailbox takes it; what comes of it is seen in the lead's story.
    return 202, {"status": "accepted", "emails": [], "ended": []}


def clicks_newest(scene: Scene, address: str) -> Answer:
    """Click the link to the calendar in the newest email."""
    newest = [email for email in scene.stack.received() if address in email["to"]][-1]
    scene.stack.look(newest["id"], CALENDAR)
    return 202, {"status": "accepted", "emails": [], "ended": []}


def now() -> str:
    """Return this moment as callers write it."""
    return datetime.now(UTC).isoformat()


OPTED_IN = Move("opts in", website("signup", first_name="Ana", business_name="Salon Ana"))
SCENARIO = (
    Lead("Ana", (OPTED_IN,), (Expected("lead_nurture"),)),
    Lead(
        "Bea",
        (Move("takes the assessment", website("signup", **ASSESSMENT)),),
        (Expected("five_day"), Expected("evergreen_results")),
    ),
    Lead(
        "Cleo",
        (Move("takes the assessment; the website sent email 1", website("signup", **ASSESSMENT, email_1_sent_at=now)),),
        (Expected("five_day", skipped={1: "sent by the website"}),),
    ),
    Lead(
        "Dana",
        (
            Move("opts in", website("signup", first_name="Dana")),
            Move("takes the assessment", website("signup", **ASSESSMENT), after=("lead_nurture", 1)),
            Move("books a call (Calendly, signed)", calendly("invitee.created", "E1"), after=("five_day", 1)),
            Move(
                "gives up that time (Calendly)",
                calendly("invitee.canceled", "E1", rescheduled=True),
                after=("precall_prep", 1),
            ),
            Move("takes a new time (Calendly)", calendly("invitee.created", "E2")),
            Move(
                "misses the call (Calendly)",
                calendly("invitee_no_show.created", "E2"),
                after=("precall_prep", 3),
                at_call="E2",
            ),
            Move(
                "needs to think",
                website("maybe", call_date=now, objections=["price"]),
                after=("noshow_recovery", 1),
            ),
            Move(
                "pays, and is a client",
                website("onboarding", payment_confirmed=True, payment_date=now, package_type="BusOS Complete"),
                after=("postcall_maybe", 1),
            ),
        ),
        (
            Expected("lead_nurture", ended="took the assessment"),
            Expected("five_day", ended="booked a call"),
            Expected("precall_prep", "E1", ended="moved the call"),
            Expected("precall_prep", "E2"),
            Expected("noshow_recovery", "E2", ended="asked for time to think"),
            Expected("postcall_maybe", ended="became a client"),
            Expected("onboarding_phase1"),
        ),
    ),
    Lead(
        "Emil",
        (Move("opts in with an address that does not exist", website("signup", first_name="Emil")),),
        (Expected("lead_nurture", ended="the address bounced", bounced=True),),
        mailbox="bounced",
    ),
    Lead(
        "Fay",
        (
            Move("comes into the campaign of all year", website("signup", hooks=HOOKS_ALL_YEAR, first_name="Fay")),
            Move("opts in for the season", website("signup", first_name="Fay"), after=("evergreen_welcome", 1)),
        ),
        (Expected("evergreen_welcome", ended="opted in"), Expected("lead_nurture")),
    ),
    Lead(
        "Gil",
        (
            Move("takes the assessment of all year", website("signup", hooks=HOOKS_ALL_YEAR, **ASSESSMENT)),
            Move("clicks the calendar (Console, their page)", clicks_newest, after=("evergreen_results", 1)),
        ),
        (Expected("evergreen_results"),),
    ),
    Lead(
        "Hana",
        (
            Move("opts in", website("signup", first_name="Hana")),
            Move("answers the first email (Console, Replies)", answers_newest, after=("lead_nurture", 1)),
        ),
        (Expected("lead_nurture", ended="replied"),),
    ),
    # They come with the list of a fair, which the owner imports.
    *(Lead(name, (), (Expected("workshop_invite"),)) for name in ("Ida", "Jon", "Kim", "Lou")),
)
