"""Counted days: what the figures count of the emails that were due on a day, and that kept for as long as it is true.

The database itself forgets a kept day, by the triggers of migration 0028, when any email of it comes, changes or goes,
whoever does it: so what is kept is what counting would find.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    extract,
    func,
    insert,
    select,
    text,
    values,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import of_canary
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import Email
from funnel_app.ledger.models.base import Base
from funnel_app.ledger.models.types import UtcTime
from funnel_app.rules.day_counts import TO_COME, Counts

Day = tuple[datetime, datetime]
# What stands between the parts of a word, and between words, in a text that is counted here.
BETWEEN, NEXT = "\t", "\n"
ENDS = ("start", "next")


class CountedDay(Base):
    """What was counted of one day, by template and state; the database forgets it when an email of that day changes."""

    __tablename__ = "counted_days"

    ends_at: Mapped[datetime] = mapped_column(primary_key=True)
    begins_at: Mapped[datetime]
    counts: Mapped[dict[str, Any]]


def count(session: Session, days: Sequence[Day], *, lengths: bool = True) -> list[Counts]:
    """Count the emails that are due on each day, less those of canaries, which the index does not know: two queries.

    Without lengths nothing says how long emails took, which is most of the work.
    """
    connection = session.connection()
    texts, of_canaries = _questions(len(days), lengths, connection.dialect.name)
    bounds = {f"{end}_{number}": at for number, day in enumerate(days) for end, at in zip(ENDS, day, strict=True)}
    found = [row["words"] for row in texts.ask(connection, **bounds)]
    tallies = [Counter(words.split(NEXT) if words else ()) for words in found]
    for row in of_canaries.ask(connection, **bounds):
        tallies[row["day"]][row["word"]] -= 1
    return [_counts(tally) for tally in tallies]


# Of so many days: SQLAlchemy compiles a list of values at each call, which takes most of the time.
@lru_cache(maxsize=16)
def _questions(days: int, lengths: bool, dialect: str) -> tuple[Question, Question]:
    word = _word(dialect) if lengths else Email.template_key + BETWEEN + Email.state + BETWEEN
    drawn = values(column("day", Integer), *(column(end, UtcTime) for end in ENDS), name="days")
    each = drawn.data(
        [(number, *(bindparam(f"{end}_{number}", type_=UtcTime()) for end in ENDS)) for number in range(days)]
    ).cte("days")
    due = Email.due_at >= each.c.start, Email.due_at < each.c.next
    # As one text a day: SQLite sorts what it groups, which takes it twice as long.
    texts = select(func.aggregate_strings(word, NEXT)).select_from(Email).where(*due).correlate(each)
    of_canaries = select(each.c.day, word.label("word")).join(Email, and_(*due)).where(of_canary())
    wanted = select(each.c.day, texts.scalar_subquery().label("words")).order_by(each.c.day)
    return Question(wanted), Question(of_canaries)


def counts_of(session: Session, days: Sequence[Day], *, lengths: bool = True) -> list[Counts]:
    """Return the counts of days that follow each other: as they are kept, else counted now, all of those together."""
    rows = select(CountedDay).where(CountedDay.ends_at >= days[0][1], CountedDay.ends_at <= days[-1][1])
    known = {(row.begins_at, row.ends_at): _read(row.counts) for row in session.scalars(rows)}
    missing = [day for day in days if day not in known]
    if missing:
        known |= zip(missing, count(session, missing, lengths=lengths), strict=True)
    return [known[day] for day in days]


def kept(session: Session) -> set[Day]:
    """Return the days that are kept."""
    return {(begins, ends) for begins, ends in session.execute(_KEPT)}


# Worded once: every sweep asks them.
_KEPT = select(CountedDay.begins_at, CountedDay.ends_at)
_FIRST_DUE = select(func.min(Email.due_at))


def keep(session: Session, day: Day) -> None:
    """Count a day and keep that; no email changes until the caller's transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        # A change that is not committed yet is not counted, and its trigger finds nothing to forget. Nor may a second
        # scheduler keep the same day meanwhile.
        session.execute(text("LOCK TABLE emails IN SHARE ROW EXCLUSIVE MODE"))
    forget(session, [day])
    counts = {BETWEEN.join(of): took for of, took in count(session, [day])[0].items()}
    session.execute(insert(CountedDay).values(begins_at=day[0], ends_at=day[1], counts=counts))


def forget(session: Session, days: Iterable[Day]) -> None:
    """Forget what is kept of these days."""
    session.execute(delete(CountedDay).where(CountedDay.ends_at.in_([end for _, end in days])))


def first_due(session: Session) -> datetime | None:
    """Return when the very first email was due; None where there is none."""
    return session.scalar(_FIRST_DUE)


def _counts(tally: Mapping[str, int]) -> Counts:
    counts: dict[tuple[str, State], dict[str, int]] = {}
    for word, number in tally.items():
        if number > 0:
            key, state, took = word.split(BETWEEN)
            counts.setdefault((key, State(state)), {})[took] = number
    return counts


def _read(counts: Mapping[str, Mapping[str, int]]) -> Counts:
    words = ((word.split(BETWEEN), took) for word, took in counts.items())
    return {(key, State(state)): took for (key, state), took in words}


def _word(dialect: str) -> ColumnElement[str]:
    tenths = cast(cast(func.round(_seconds(dialect) * 10), Integer), String)
    known = (Email.state == State.DELIVERED) & Email.delivered_at.is_not(None)
    return Email.template_key + BETWEEN + Email.state + BETWEEN + case((known, tenths), else_=TO_COME)


def _seconds(dialect: str) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return extract("epoch", Email.delivered_at - Email.due_at)
    return (func.julianday(Email.delivered_at) - func.julianday(Email.due_at)) * 86400.0
