"""Random histories, played through the rules and through the model; where they differ, the fewest events that do."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from funnel_app import campaigns
from funnel_app.campaigns.model import Event, Mode
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.states import State
from funnel_app.flows.intake.answer import answer_all
from funnel_app.rules.calendar.bookings import BookingState
from funnel_app.rules.calendar.whole import Whole, digest
from funnel_app.rules.calls.call import Call
from funnel_app.rules.calls.reading import Reading, wanted_for
from funnel_app.rules.facts import ContactFacts, EmailFacts, EnrolmentFacts
from funnel_app.rules.states import EnrolmentState
from tests.model.words import BOOKED, CANCELLED, MAYBE, MISSED, MOVED, UNDONE, Model, Word

FILE = Path(campaigns.__file__).parent / "christmas.toml"
REGISTRY = load_registry()
BEGAN = datetime.fromisoformat("2026-11-24T15:00:00+00:00")
LONGEST, DAYS = 12, 5
PEOPLE, CALLS, SHARED, PLACES = ("ana", "ben"), ("E1", "E2", "E3"), "S1", ("I1", "I2", "")
TIMES = [BEGAN + timedelta(hours=hours) for hours in (-30, -2, 1, 20, 50, 100, 100, 200)]
SIMPLE = ("opt_in", "assessment", "onboarding")


@dataclass(frozen=True)
class Happens:
    """One thing that happens: a word is told, or (without one) time passes, in an outage or not."""

    now: datetime
    word: Word | None = None
    sends: bool = True

    def __str__(self) -> str:
        if self.word is None:
            return f"{self.now:%d %H:%M} time passes{'' if self.sends else ' in an outage'}"
        w = self.word
        about = f" of {w.call}/{w.place or '-'}{' for all' if w.of_all else ''}" if w.call else ""
        time = f", call {w.call_at:%d %H:%M}" if w.call_at else ""
        return f"{self.now:%d %H:%M} {w.who}: {w.what}{about}{time}, happened {w.at:%d %H:%M}"


History = Sequence[Happens]


def history(rnd: random.Random) -> list[Happens]:
    """Return a random history of a few days; what is told may have happened long before."""
    steps = sorted(rnd.randrange(DAYS * 24 * 60) for _ in range(rnd.randint(2, LONGEST)))
    return [_happens(rnd, BEGAN + timedelta(minutes=minutes)) for minutes in steps]


def _happens(rnd: random.Random, now: datetime) -> Happens:
    if rnd.random() < 0.25:
        return Happens(now, sends=rnd.random() < 0.8)
    late = timedelta(minutes=rnd.choice((0, 0, 1, 90, 1000, 3000)))
    return Happens(now, _word(rnd, now - late))


def _word(rnd: random.Random, at: datetime) -> Word:
    who = rnd.choice(PEOPLE)
    kind = rnd.choices(
        (*SIMPLE, MAYBE, BOOKED, CANCELLED, MOVED, MISSED, UNDONE, "off"), (1, 1, 1, 1, 8, 5, 2, 4, 1, 2)
    )[0]
    if kind in SIMPLE:
        return Word(kind, who, at)
    if kind == MAYBE:
        return Word(kind, who, at, call_at=rnd.choice(TIMES))
    if kind == "off":
        return Word(CANCELLED, who, at, SHARED, of_all=True)
    call = rnd.choice((*CALLS, SHARED))
    call_at = rnd.choice(TIMES) if kind == BOOKED or (kind == MISSED and rnd.random() < 0.7) else None
    place = rnd.choice(PLACES) if call != SHARED and kind in {BOOKED, CANCELLED, MOVED} else ""
    return Word(kind, who, at, call, place, call_at)


class Rules:
    """The rules themselves, on a reading that holds what the ledger would give them."""

    def __init__(self, mode: Mode = Mode.LIVE) -> None:
        self.registry = REGISTRY
        settings = SimpleNamespace(testing_interval_seconds=60)
        self.deps: Any = SimpleNamespace(registry=self.registry, mode=mode, settings=settings)
        self.found, self.heard = Reading(), dict[str, tuple[Any, ...]]()

    def tell(self, word: Word, now: datetime) -> None:
        self.hear([_call(word)], now)

    def hear(self, calls: Sequence[Call], now: datetime) -> None:
        wanted = wanted_for(calls, self.registry, now)
        shown = {
            a: replace(c, heard=_only(self.heard.get(a, ()), wanted.events)) for a, c in self.found.contacts.items()
        }
        after, _ = answer_all(self.deps, replace(self.found, contacts=shown, started={}), calls, now)
        for address, contact in after.contacts.items():
            new = contact.heard[len(shown[address].heard) if address in shown else 0 :]
            self.heard[address] = (*self.heard.get(address, ()), *new)
        self.found = after

    def pass_time(self, now: datetime, sends: bool) -> None:
        aged = {a: _aged(contact, now, sends) for a, contact in self.found.contacts.items()}
        self.found = replace(self.found, contacts=aged)

    def outcome(self) -> set[tuple[str, str, str, int, str, datetime]]:
        words = {State.PLANNED: "planned", State.DELIVERED: "gone"}
        return {
            (address.partition("@")[0], e.sequence, e.occurrence, email.step, words[email.state], email.due_at)
            for address, contact in self.found.contacts.items()
            for e in contact.enrolments
            for email in e.emails
            if email.state in words
        }

    def booked(self) -> int:
        return sum(b.state is BookingState.BOOKED for c in self.found.contacts.values() for b in c.bookings)


def _only(heard: Iterable[Any], events: frozenset[str]) -> tuple[Any, ...]:
    return tuple(each for each in heard if each.event in events)


def _call(word: Word) -> Call:
    address = f"{word.who}@example.com"
    listed = frozenset(digest(f"{who}@example.com") for who in PEOPLE)
    return Call(
        campaign="christmas",
        hook="model",
        source="calcom" if word.call else "website",
        event=Event(word.what),
        email=address,
        email_norm=address,
        occurrence=word.call,
        place=word.place,
        whole=Whole(of=listed) if word.of_all else None,
        happened_at=word.at,
        call_at=word.call_at,
    )


def _aged(contact: ContactFacts, now: datetime, sends: bool) -> ContactFacts:
    return contact.with_enrolments(*(_older(e, now, sends) for e in contact.enrolments if e.runs))


def _older(enrolment: EnrolmentFacts, now: datetime, sends: bool) -> EnrolmentFacts:
    enrolment = replace(enrolment, emails=tuple(_went(email, now, sends) for email in enrolment.emails))
    if any(email.state is State.PLANNED for email in enrolment.emails):
        return enrolment
    return replace(enrolment, state=EnrolmentState.COMPLETED, ended_at=now)


def _went(email: EmailFacts, now: datetime, sends: bool) -> EmailFacts:
    if email.state is not State.PLANNED:
        return email
    if email.latest_at is not None and email.latest_at <= now:
        return replace(email, state=State.SKIPPED)
    return replace(email, state=State.DELIVERED) if sends and email.due_at <= now else email


def difference(story: History) -> str:
    """Return where the rules and the model differ over a history; nothing where they agree."""
    rules, model = Rules(), Model(FILE)
    for each in story:
        for side in (rules, model):
            if each.word is None:
                side.pass_time(each.now, each.sends)
            else:
                side.tell(each.word, each.now)
        if rules.outcome() != model.outcome() or rules.booked() != model.booked():
            return _difference_in_words(rules, model, each)
    return ""


def _difference_in_words(rules: Rules, model: Model, last: Happens) -> str:
    lines = [f"after: {last}", f"  booked calls: {rules.booked()} by the rules, {model.booked()} by the model"]
    for side, mine, others in (("rules", rules, model), ("model", model, rules)):
        lines += [f"  only the {side}: {' '.join(map(str, row))}" for row in sorted(mine.outcome() - others.outcome())]
    return "\n".join(lines)


def shrunk(story: History, differs: Callable[[History], object] = difference) -> list[Happens]:
    """Return the fewest events of a history that still differ, found by leaving out one after the other."""
    found, number = list(story), 0
    while number < len(found):
        fewer = found[:number] + found[number + 1 :]
        found, number = (fewer, 0) if differs(fewer) else (found, number + 1)
    return found


def first_difference(histories: int, seed: int) -> str:
    """Play so many random histories; return the first that differs, shrunk, as text; nothing where all agree."""
    for number in range(histories):
        story = history(random.Random(f"{seed}/{number}"))
        if difference(story):
            small = shrunk(story)
            return "\n".join([f"history {number} of seed {seed}:", *map(str, small), difference(small)])
    return ""
