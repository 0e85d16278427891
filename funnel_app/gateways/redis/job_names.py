"""Job names: the jobs that Funnel queues, by dotted name, since the product never imports jobs."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import UUID

from funnel_app.campaigns.model import Kind

EMAILS = "emails"
TRANSACTIONAL = "transactional"
MIRROR_QUEUE = "mirror"
QUEUES = (TRANSACTIONAL, EMAILS, MIRROR_QUEUE)
DELIVER = "jobs.deliver.deliver_email"
REPEAT = "jobs.deliver.repeat_request"
RECHECK = "jobs.recheck.recheck_held"
RECONCILE = "jobs.reconcile.ask_resend"
MIRROR = "jobs.mirror.write_mirror"
JOB_TIMEOUT_S = 60
FAILURE_TTL_S = 86_400


class Call(NamedTuple):
    """One job: id, function by dotted name, arguments, and queue."""

    job_id: str
    function: str
    args: tuple[str, ...]
    queue: str = EMAILS


def queue_of(kind: str) -> str:
    """Return the queue for a kind of email: transactional ones overtake marketing."""
    return TRANSACTIONAL if kind == Kind.TRANSACTIONAL else EMAILS


def email_job_id(email_id: UUID | str) -> str:
    """Return the id of an email's only job."""
    return f"email-{email_id}"


def deliver_job(email_id: UUID, queue: str = EMAILS) -> Call:
    """Return the job that sends an email."""
    told = str(email_id)
    return Call(email_job_id(told), DELIVER, (told,), queue)


def repeat_job(request_id: UUID) -> Call:
    """Return the job that repeats a request whose outcome is open or unknown."""
    return Call(f"request-{request_id}", REPEAT, (str(request_id),))


def recheck_job() -> Call:
    """Return the job that rechecks held emails; there is at most one."""
    return Call("recheck-held", RECHECK, ())


def reconcile_job() -> Call:
    """Return the job that asks about unconfirmed emails; there is at most one."""
    return Call("reconcile", RECONCILE, ())


def mirror_job(turn: str = "tick") -> Call:
    """Return the job that writes the mirror; there are two names, so that a job can queue its successor."""
    return Call(f"mirror-{turn}", MIRROR, (turn,), MIRROR_QUEUE)


_TURNS = ("tick", "tock")
_NAMED = {call.job_id: call for call in (recheck_job(), reconcile_job(), *map(mirror_job, _TURNS))}
_NUMBERED: Mapping[str, Callable[[UUID], Call]] = {"email": deliver_job, "request": repeat_job}


def call_of(job_id: str) -> Call | None:
    """Return the call of a job by its id, whatever its queue; None if no job of ours has such an id."""
    kind, _, number = job_id.partition("-")
    try:
        call = _NUMBERED[kind](UUID(number)) if kind in _NUMBERED else _NAMED.get(job_id)
    except ValueError:
        return None
    return call if call and call.job_id == job_id else None
