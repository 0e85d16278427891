"""The catalogue of variables: everything that a template may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a variable's value comes from."""

    CONTACT = "contact"
    ASSESSMENT = "assessment"
    CAMPAIGN = "campaign"
    HOOK = "hook"
    FUNNEL = "funnel"


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that templates may use; `default` is used if nothing provides a value, None means none."""

    name: str
    type: str
    source: Source
    description: str
    example: str
    default: str | None = None


def _rows(source: Source, *rows: tuple[str, ...]) -> list[Variable]:
    return [Variable(name, type_, source, *rest) for name, type_, *rest in rows]


_CATALOGUE = [
    *_rows(
        Source.CONTACT,
        ("first_name", "text", "The first name as the lead typed it", "Ana", "there"),
        ("business_name", "text", "The name of the lead's business", "Salon Ana", "your business"),
        ("email", "address", "The lead's address", "delivered+ana@resend.dev"),
    ),
    *_rows(
        Source.ASSESSMENT,
        ("assessment_score", "number", "The score of the assessment, 0 to 100", "38"),
        ("overall_score", "number", "The same as assessment_score", "38"),
        ("segment", "text", "CRITICAL, URGENT or OPTIMIZE, by red and orange systems", "CRITICAL"),
        ("readiness_zone", "text", "Crisis Zone below 40, Warning Zone below 70, else Growth Zone", "Crisis Zone"),
        ("red_systems", "number", "How many of the 8 systems are red", "2"),
        ("orange_systems", "number", "How many of the 8 systems are orange", "3"),
        ("yellow_systems", "number", "How many of the 8 systems are yellow", "2"),
        ("green_systems", "number", "How many of the 8 systems are green", "1"),
        ("gps_score", "number", "The score of the GPS system, 0 to 100", "45"),
        ("money_score", "number", "The score of the Money system, 0 to 100", "30"),
        ("weakest_system_1", "text", "The weakest system", "Money"),
        ("weakest_system_2", "text", "The second weakest system", "Marketing"),
        ("strongest_system", "text", "The strongest system", "Team"),
        ("weakest_system", "text", "The same as weakest_system_1", "Money"),
        ("WeakestSystem1", "text", "The same as weakest_system_1, as the old templates write it", "Money"),
        ("WeakestSystem2", "text", "The same as weakest_system_2, as the old templates write it", "Marketing"),
        ("StrongestSystem", "text", "The same as strongest_system, as the old templates write it", "Team"),
        ("revenue_leak_total", "number", "What the weak systems cost a year, in dollars", "48500"),
        ("TotalRevenueLeak_K", "number", "The same in thousands, rounded; below 10 with one digit", "49"),
        ("personalized_tip_1", "text", "The first tip for the weakest system", "Look at last month's numbers."),
        ("personalized_tip_2", "text", "The second tip for the weakest system", "Set one price per service."),
        ("personalized_tip_3", "text", "The third tip for the weakest system", "Pay yourself first."),
    ),
    *_rows(
        Source.CAMPAIGN,
        ("season_open", "yes or no", "Whether the season is open on this day; always, where there is none", "yes"),
        (
            "season_name",
            "text",
            "What the season is called; the campaign's title, where there is none",
            "holiday season",
        ),
        ("next_season_starts", "text", "When the next season begins; nothing where there is none", "October 1, 2027"),
        ("deadline_date", "text", "The deadline, fixed at enrolment; nothing out of season", "December 5"),
        ("days_to_deadline", "number", "Whole days until it, never below 0; nothing out of season", "11"),
        ("calendly_link", "link", "Where to book a call", "https://calendly.com/businessx/diagnostic-call"),
        ("pdf_download_link", "link", "Where the playbook is", "https://funnel.example/assets/playbook.pdf"),
        ("bookings_count", "number", "Calls booked this season: the baseline and the live ones", "18"),
        ("spots_remaining", "number", "Places left: the capacity less the bookings, never below 0", "12"),
    ),
    *_rows(
        Source.HOOK,
        ("call_time", "time", "When the booked call is", "Thursday, December 3 at 3:00 PM EST"),
        ("scheduled_time", "time", "When the missed call was", "Tuesday, December 1 at 10:00 AM EST"),
        ("call_date", "date", "The day of the call that is booked, or that was", "Tuesday, December 1"),
        ("call_day", "text", "The same on the day of reading: today, tomorrow, on Tuesday", "tomorrow"),
        ("call_clock", "text", "The time of day of the booked call", "3:00 PM EST"),
        ("missed_when", "text", "The day of the missed call on the day of reading: today, yesterday", "yesterday"),
        ("diagnostic_call_date", "date", "When the diagnostic call was or is", "Tuesday, December 1"),
        ("portal_url", "link", "The client's portal", "https://portal.businessx.example"),
        ("reschedule_url", "link", "Where to move the call", "https://calendly.com/reschedulings/1"),
        ("salon_address", "text", "Where the salon is", "1 Market Street, Toronto"),
        ("observation_dates", "date", "When the coach visits", "Friday, January 8 and Saturday, January 9"),
        ("start_date", "date", "When the programme starts", "Tuesday, January 5"),
        ("package_type", "text", "What the client bought", "BusOS Complete"),
        ("objections", "text", "What kept the lead from deciding", "price and time"),
    ),
    *_rows(
        Source.FUNNEL,
        ("unsubscribe_url", "link", "Where this lead unsubscribes", "https://funnel.example/u/token"),
        ("company_name", "text", "Who sends", "BusinessX"),
        ("company_address", "text", "The sender's postal address", "1 Market Street, Toronto"),
        ("current_year", "number", "This year", "2026"),
    ),
]

CATALOGUE: Mapping[str, Variable] = {variable.name: variable for variable in _CATALOGUE}
NAMES = frozenset(CATALOGUE)


def example_values() -> dict[str, object]:
    """Return a value for every variable, for previews."""
    return {variable.name: _typed(variable) for variable in CATALOGUE.values()}


def _typed(variable: Variable) -> object:
    return {"number": int, "yes or no": bool}.get(variable.type, str)(variable.example)
