"""The words of docs/sequences.md once more, in plain code that shares nothing with the rules but the campaign's file.

It keeps no state of a booking: each question goes through all that was ever heard. Slow, and easy to read.
"""

import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

BOOKED, CANCELLED, MOVED = "booking", "booking_cancelled", "booking_rescheduled"
MISSED, UNDONE, MAYBE = "no_show", "no_show_undone", "maybe"
OF_CALLS = {BOOKED, CANCELLED, MOVED}
WEEK = timedelta(days=7)
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Word:
    """One thing that is told: of whom, when it happened at its source, and about which place in which call.

    `of_all` says that it is about all who come, of whom `who` is listed first.
    """

    what: str
    who: str
    at: datetime
    call: str = ""
    place: str = ""
    call_at: datetime | None = None
    of_all: bool = False


@dataclass
class Mail:
    """One email of a run: when it is due, and what became of it."""

    due: datetime
    state: str = "planned"


@dataclass
class Run:
    """One run of a sequence: what started it, and what ended it."""

    word: Word
    mails: dict[int, Mail]
    call_at: datetime | None
    over: str = ""


@dataclass
class Person:
    """What one person gets: runs by sequence and call, and the words whose start was ignored."""

    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)
    ignored: dict[tuple[str, str], Word] = field(default_factory=dict)
    heard: list[Word] = field(default_factory=list)


class Model:
    """All people of one campaign."""

    def __init__(self, file: Path) -> None:
        found = tomllib.loads(file.read_text())
        self.sequences, self.zone = found["sequences"], ZoneInfo(found["timezone"])
        self.people: dict[str, Person] = {}
        self.of_all: list[Word] = []

    def person(self, who: str) -> Person:
        return self.people.setdefault(who, Person())

    def tell(self, word: Word, now: datetime) -> None:
        """Hear a word, for everybody whom it is about."""
        if word.of_all:
            self.of_all.append(word)
        come = [who for who, person in self.people.items() if any(w.call == word.call for w in person.heard)]
        for who in sorted({word.who, *(come if word.of_all else ())}, key=lambda who: who != word.who):
            self._hear(self.person(who), word, now)

    def _hear(self, person: Person, word: Word, now: datetime) -> None:
        before = list(person.heard)
        person.heard.append(word)
        starts = self._starts(person, before, word)
        self._end(person, word)
        for name, run in person.runs.items():
            if word.what == BOOKED and self._about_calls(name[0]) and name[1] == word.call and not starts:
                self._retime(name[0], person, run[-1])
        for name, call, start in [*starts, *self._owed(person, word, now)]:
            self._start(person, (name, call), start, now)

    def _starts(self, person: Person, before: list[Word], word: Word) -> list[tuple[str, str, Word]]:
        """Return what a word starts, of the sequences that wait for it."""
        found = []
        for name, sequence in self.sequences.items():
            if sequence["starts_on"] != word.what:
                continue
            call = word.call if sequence.get("per_occurrence") else ""
            runs = person.runs.get((name, call), [])
            if runs and not self._again(name, person, runs[-1], word):
                if sequence["starts_on"] == MISSED and word.at >= runs[-1].word.at:
                    known = runs[-1].word.call_at
                    call_at = word.call_at if word.call_at and not runs[-1].over else known
                    runs[-1].word, runs[-1].call_at = replace(word, call_at=call_at), call_at
            elif self._in_the_way(name, person, before, word):
                person.ignored[name, call] = word
            else:
                found.append((name, call, word))
        return found

    def _again(self, name: str, person: Person, run: Run, word: Word) -> bool:
        if run.over in {CANCELLED, MOVED}:
            return self.stands(person, word.call)
        if name_is_about_booking(self.sequences[name]) and run.over == "done":
            return self.time_of(person, word.call) != run.call_at
        return run.over == UNDONE and word.at > run.word.at

    def _in_the_way(self, name: str, person: Person, heard: list[Word], word: Word) -> bool:
        sequence = self.sequences[name]
        exits = sequence.get("exits", [])
        if not sequence.get("per_occurrence"):
            return any(w.what in exits for w in heard)
        if sequence["starts_on"] == BOOKED:
            return not self.stands(person, word.call)
        return self._later_call(person, word) or any(touches(w, word) for w in heard if w.what in exits)

    def _end(self, person: Person, word: Word) -> None:
        for (name, call), runs in person.runs.items():
            run, sequence = runs[-1], self.sequences[name]
            if run.over or word.what not in {*sequence.get("exits", []), *(OF_CALLS if call else ())}:
                continue
            if by := self._ended_by(sequence, person, run, call, word):
                run.over = by
                for mail in run.mails.values():
                    mail.state = "cancelled" if mail.state == "planned" else mail.state

    def _ended_by(self, sequence: dict, person: Person, run: Run, call: str, word: Word) -> str:
        if not sequence.get("per_occurrence"):
            return word.what
        if sequence["starts_on"] == BOOKED:
            return "" if self.stands(person, call) else CANCELLED
        if word.what in OF_CALLS:
            return BOOKED if self._later_call(person, run.word) else ""
        begun = any(mail.state == "gone" for mail in run.mails.values())
        return "" if not touches(word, run.word) or (word.what == UNDONE and begun) else word.what

    def _owed(self, person: Person, word: Word, now: datetime) -> list[tuple[str, str, Word]]:
        """Return what a booking stood in the way of, and does no more now that a calendar said so."""
        if word.what not in OF_CALLS:
            return []
        starts = {key: runs[-1].word for key, runs in person.runs.items() if runs[-1].over == BOOKED and key[1]}
        never = {key: start for key, start in person.ignored.items() if key[1] and key not in person.runs}
        found = []
        for (name, call), start in {**starts, **never}.items():
            if self.sequences[name]["starts_on"] != MISSED or now - start.at > WEEK:
                continue
            if not self._in_the_way(name, person, person.heard, start):
                found.append((name, call, start))
        return found

    def _start(self, person: Person, key: tuple[str, str], word: Word, now: datetime) -> None:
        sequence = self.sequences[key[0]]
        about_booking = name_is_about_booking(sequence)
        call_at = self.time_of(person, word.call) if about_booking else word.call_at
        before = person.runs.setdefault(key, [])
        went = {
            n for run in before if run.call_at == call_at and key[1] for n, m in run.mails.items() if m.state == "gone"
        }
        due = self._due(sequence, call_at if about_booking and call_at else now)
        mails = {n: Mail(at) for n, at in due.items()}
        for number, mail in mails.items():
            late = about_booking and (call_at is None or call_at <= now or gives_way(number, due, now))
            mail.state = "skipped" if late or number in went else "planned"
        before.append(Run(word, mails, call_at))

    def _retime(self, name: str, person: Person, run: Run) -> None:
        call_at = self.time_of(person, run.word.call)
        if run.over or call_at is None or call_at == run.call_at:
            return
        run.call_at = call_at
        for number, at in self._due(self.sequences[name], call_at).items():
            if run.mails[number].state == "planned":
                run.mails[number].due = at

    def _due(self, sequence: dict, anchor: datetime) -> dict[int, datetime]:
        return {n: self._moment(step, anchor) for n, step in enumerate(sequence["steps"], start=1)}

    def _moment(self, step: dict, anchor: datetime) -> datetime:
        text = step.get("after") or step["before"]
        span = timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        if "before" in step:
            return anchor - span
        if text[-1] != "d":
            return anchor + span
        local = anchor.astimezone(self.zone)
        return datetime.combine(local.date() + span, local.time(), self.zone).astimezone(UTC)

    def _about_calls(self, name: str) -> bool:
        return name_is_about_booking(self.sequences[name])

    def stands(self, person: Person, call: str) -> bool:
        """Say whether the person has a place in a call, by the newest word of each."""
        return any(words and words[-1].what == BOOKED for words in self._places(person, call))

    def _places(self, person: Person, call: str) -> list[list[Word]]:
        """Return the words of each place in a call, the newest last; a place that was never booked has none."""
        mine = {w for w in [*person.heard, *self.of_all] if w.call == call and w.what in OF_CALLS}
        names = {w.place for w in mine if w.place} or {""}
        places = [[w for w in mine if w.place in {name, ""}] for name in names]
        places = [words for words in places if any(w.what == BOOKED for w in words)]
        return [sorted(words, key=lambda w: (w.at, w.what != BOOKED)) for words in places]

    def time_of(self, person: Person, call: str) -> datetime | None:
        """Return when a call is, by the newest booking that says so."""
        told = [(w.at, w.call_at) for w in person.heard if w.call == call and w.what == BOOKED and w.call_at]
        return max(told)[1] if told else None

    def _later_call(self, person: Person, missed: Word) -> bool:
        """Say whether a later call than a missed one stood when that was told, or was booked since."""
        missed_at = self.time_of(person, missed.call) or missed.call_at or missed.at
        others = {w.call for w in person.heard if w.what == BOOKED} - {missed.call}
        later = [call for call in others if (at := self.time_of(person, call)) and at > missed_at]
        return any(stood_after(words, missed.at) for call in later for words in self._places(person, call))

    def pass_time(self, now: datetime, sends: bool) -> None:
        """Let what is due go; nothing goes in an outage, and a reminder is too late once its call has begun."""
        for person in self.people.values():
            for (name, _), runs in person.runs.items():
                for mail in [mail for mail in runs[-1].mails.values() if mail.state == "planned"]:
                    late = self._about_calls(name) and runs[-1].call_at is not None and runs[-1].call_at <= now
                    mail.state = "skipped" if late else "gone" if sends and mail.due <= now else "planned"
                if not runs[-1].over and all(mail.state != "planned" for mail in runs[-1].mails.values()):
                    runs[-1].over = "done"

    def outcome(self) -> set[tuple[str, str, str, int, str, datetime]]:
        """Return all that went or is to go."""
        return {
            (who, name, call, number, mail.state, mail.due)
            for who, person in self.people.items()
            for (name, call), runs in person.runs.items()
            for run in runs
            for number, mail in run.mails.items()
            if mail.state in {"planned", "gone"}
        }

    def booked(self) -> int:
        """Return how many calls stand, each person's once."""
        calls = {(who, w.call) for who, person in self.people.items() for w in person.heard if w.what in OF_CALLS}
        return sum(self.stands(self.people[who], call) for who, call in calls)


def name_is_about_booking(sequence: dict) -> bool:
    """Say whether a sequence reminds of a booked call."""
    return sequence["starts_on"] == BOOKED


def touches(word: Word, start: Word) -> bool:
    """Say whether a word that is no booking ends or blocks the recovery of a missed call."""
    if word.what == UNDONE:
        return word.call == start.call and word.at >= start.at
    if word.what == MAYBE:
        return word.call_at is None or word.call_at >= (start.call_at or start.at)
    return word.what not in OF_CALLS


def stood_after(words: list[Word], at: datetime) -> bool:
    """Say whether a place was taken at some moment after a time."""
    left = [w.at for w in words if w.what != BOOKED]
    return words[-1].what == BOOKED or max(left) > at


def gives_way(number: int, due: dict[int, datetime], now: datetime) -> bool:
    """Say whether a late reminder gives way to the next: from halfway between the two."""
    at, following = due[number], due.get(number + 1)
    return following is not None and at <= now and (following <= now or at + (following - at) / 2 < now)
