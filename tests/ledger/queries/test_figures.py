"""What the figures count of any ledger is what somebody who reads every row would count."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, insert, update

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.states import State
from funnel_app.ledger import counted_days
from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.queries import figures
from funnel_app.rules.day_counts import by_day, waits
from funnel_app.rules.figures import STAGES

FIRST = datetime(2026, 11, 1, 4, tzinfo=UTC)
DAYS = [(FIRST + timedelta(days=day), FIRST + timedelta(days=day + 1)) for day in range(4)]
SPAN = DAYS[0][0], DAYS[-1][1]
KEYS = ("welcome_email_1", "welcome_email_2", "a_text_of_no_file")
EVENTS = (*figures.ON_THE_WAY, "booking_cancelled", "reply")
HEARD = ("accepted", "duplicate", "ignored")


class Ledger:
    """Rows as the dice have it, of people and of test emails, around the days that are asked about."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.rows = {Contact: [], HookEvent: [], Enrolment: [], Email: []}
        for number in range(40):
            self.person(number, "christmas" if number % 5 else CANARY)

    def some_time(self):
        """Often the very second at which a day begins."""
        at = FIRST + timedelta(seconds=self.dice.randrange(-3 * 86_400, 6 * 86_400))
        return self.dice.choice([at, at, at, *(start for start, _ in DAYS), SPAN[1]])

    def person(self, number, campaign):
        contact, run = new_id(), new_id()
        mode = "canary" if campaign == CANARY else "live"
        sequence = CANARY if campaign == CANARY else "welcome"
        self.rows[Contact].append({
            "id": contact, "email": f"{number}@example.com", "email_norm": f"{number}@example.com",
            "unsubscribe_token": str(number), "created_at": FIRST, "updated_at": FIRST,
        })  # fmt: skip
        self.rows[HookEvent] += [{
            "id": new_id(), "received_at": self.some_time(), "source": "website", "hook": "signup", "handler": "h",
            "campaign": campaign if self.dice.random() < 0.7 else "evergreen" if campaign != CANARY else CANARY,
            "event": self.dice.choice(EVENTS), "occurrence": "", "contact_id": contact, "payload": {}, "mode": mode,
            "outcome": self.dice.choice([*HEARD, "refused"]),
        } for _ in range(self.dice.randrange(5))]  # fmt: skip
        self.rows[Enrolment].append({
            "id": run, "contact_id": contact, "campaign": campaign, "sequence": sequence, "occurrence": "", "run": 1,
            "mode": mode, "kind": "marketing", "anchor_at": FIRST, "deadline": FIRST.date(), "state": "active",
            "variables": {}, "created_at": FIRST,
        })  # fmt: skip
        self.rows[Email] += [self.email(run, step) for step in range(1, 8)]

    def email(self, run, step):
        due, state = self.some_time(), self.dice.choice([*State, *[State.DELIVERED] * 8])
        took = timedelta(seconds=self.dice.choice([-0.3, 0.04, 0.05, 1.25, 61.94999, self.dice.expovariate(0.2)]))
        return {
            "id": new_id(), "enrolment_id": run, "step": step, "template_key": self.dice.choice(KEYS), "due_at": due,
            "state": state, "attempts": 1, "freezes": 1, "planned_at": FIRST,
            "delivered_at": due + took if state is State.DELIVERED and self.dice.random() < 0.9 else None,
        }  # fmt: skip

    def write(self, engine):
        with engine.begin() as connection:
            for model, rows in self.rows.items():
                connection.execute(insert(model), rows)

    def emails(self, span=SPAN):
        """The emails to people that are due in a span."""
        people = {row["id"] for row in self.rows[Enrolment] if row["mode"] != "canary"}
        return [row for row in self.rows[Email] if row["enrolment_id"] in people and span[0] <= row["due_at"] < span[1]]

    def ways(self, campaign, until):
        """What each person who came first in the span did until a time."""
        heard = [row for row in self.rows[HookEvent] if row["outcome"] in HEARD and row["event"] in figures.ON_THE_WAY]
        of = [row for row in heard if row["received_at"] <= until and row["campaign"] == (campaign or row["campaign"])]
        for contact in {row["contact_id"] for row in of if row["campaign"] != CANARY}:
            theirs = [row for row in of if row["contact_id"] == contact]
            if SPAN[0] <= min(row["received_at"] for row in theirs) < SPAN[1]:
                yield tuple(any(row["event"] in events for row in theirs) for events in STAGES.values())


@pytest.fixture(params=range(2))
def ledger(request, engine):
    made = Ledger(request.param)
    made.write(engine)
    return made


def read(ledger, day):
    """What somebody who reads every row finds of a day."""
    return Counter((row["template_key"], row["state"]) for row in ledger.emails(day))


def flat(counts):
    return {(key, state): sum(took.values()) for (key, state), took in counts.items()}


@pytest.mark.both_databases
def test_days_are_counted_as_reading_every_row_would(ledger, sessions):
    with sessions() as session:
        days = counted_days.counts_of(session, DAYS)
        short = counted_days.counts_of(session, DAYS, lengths=False)
    assert [flat(counts) for counts in days] == [flat(counts) for counts in short]
    assert [flat(counts) for counts in days] == [read(ledger, day) for day in DAYS]
    assert sorted(by_day(days)) == sorted(
        (number, *of, count) for number, counts in enumerate(days) for of, count in flat(counts).items()
    )
    for keys in (None, KEYS[:1], ()):
        rows = [row for row in ledger.emails() if keys is None or row["template_key"] in keys]
        took = [(row["delivered_at"] - row["due_at"]).total_seconds() for row in rows if row["delivered_at"]]
        found = waits(days, keys)
        assert sum(count for _, count in found) == len(took)
        assert all(before < after for (before, _), (after, _) in pairwise(found))
        # A half is rounded as the database does it, so that each length is within half a tenth of its own.
        told = [length for length, count in found for _ in range(count)]
        assert all(abs(one - other) <= 0.0501 for one, other in zip(told, sorted(took), strict=True))


@pytest.mark.both_databases
def test_the_way_is_counted_as_reading_every_row_would(ledger, sessions):
    with sessions() as session:
        for campaign in (None, "christmas", "evergreen"):
            for until in (SPAN[1], SPAN[0] + timedelta(days=2), SPAN[1] + timedelta(days=9)):
                assert figures.came(session, campaign, SPAN, until) == Counter(ledger.ways(campaign, until))


def change(ledger, session):
    """Change a few emails as reports, corrections and erasures do, each by one statement."""
    rows = ledger.dice.sample(ledger.rows[Email], 3)
    ids = [row["id"] for row in rows]
    new = ledger.email(rows[0]["enrolment_id"], 1)
    of = Email.id.in_(ids)
    changes = [
        update(Email).where(of).values(state=new["state"]),
        update(Email).where(of).values(due_at=new["due_at"]),
        update(Email).where(of).values(state=State.DELIVERED, delivered_at=FIRST + timedelta(days=3)),
        update(Email).where(of).values(template_key=new["template_key"]),
        delete(Email).where(of),
        insert(Email).values(**(new | {"step": ledger.dice.randrange(10, 10**6)})),
    ]
    session.execute(ledger.dice.choice(changes))


@pytest.mark.both_databases
def test_what_is_kept_of_a_day_is_what_counting_finds_whatever_happens_to_its_emails(ledger, sessions):
    kept = 0
    for _ in range(30):
        with sessions.begin() as session:
            counted_days.keep(session, ledger.dice.choice(DAYS))
        with sessions.begin() as session:
            change(ledger, session)
        with sessions() as session:
            kept += len(counted_days.kept(session))
            assert counted_days.counts_of(session, DAYS) == counted_days.count(session, DAYS)
    assert kept > 10, "the days that a change does not touch stay kept"


@pytest.mark.both_databases
def test_a_day_of_other_bounds_is_not_taken_for_this_one(ledger, sessions):
    start, end = DAYS[1]
    with sessions.begin() as session:
        counted_days.keep(session, (start - timedelta(hours=1), end))
        assert counted_days.counts_of(session, DAYS) == counted_days.count(session, DAYS)
        counted_days.keep(session, DAYS[1])
        assert counted_days.kept(session) == {DAYS[1]}
