"""The jobs that Funnel queues, by dotted name, since the product never imports jobs."""

from typing import NamedTuple
from uuid import UUID

from rq.job import Job, JobStatus
from rq.queue import Queue

from funnel_app.campaigns.model import Kind

EMAILS = "emails"
TRANSACTIONAL = "transactional"
MIRROR_QUEUE = "mirror"
DELIVER = "jobs.deliver.deliver_email"
REPEAT = "jobs.deliver.repeat_request"
RECHECK = "jobs.recheck.recheck_held"
RECONCILE = "jobs.reconcile.ask_resend"
MIRROR = "jobs.mirror.write_mirror"
JOB_TIMEOUT_S = 60
FAILURE_TTL_S = 86_400


class Call(NamedTuple):
    """One job: its id, the function by dotted name, the arguments, and the queue that it goes to."""

    job_id: str
    function: str
    args: tuple[str, ...]
    queue: str = EMAILS


def queue_of(kind: str) -> str:
    """Return the queue of emails of a kind: what a person waits for overtakes what they are told."""
    return TRANSACTIONAL if kind == Kind.TRANSACTIONAL else EMAILS


def email_job_id(email_id: UUID) -> str:
    """Return the id of the one job that an email has."""
    return f"email-{email_id}"


def deliver_job(email_id: UUID, queue: str = EMAILS) -> Call:
    """Return the job that sends an email."""
    return Call(email_job_id(email_id), DELIVER, (str(email_id),), queue)


def repeat_job(request_id: UUID, queue: str = EMAILS) -> Call:
    """Return the job that repeats a request whose outcome is open or unknown."""
    return Call(f"request-{request_id}", REPEAT, (str(request_id),), queue)


def recheck_job(queue: str = EMAILS) -> Call:
    """Return the job that looks again at the emails which are held; there is at most one."""
    return Call("recheck-held", RECHECK, (), queue)


def reconcile_job(queue: str = EMAILS) -> Call:
    """Return the job that asks what became of emails without proof; there is at most one."""
    return Call("reconcile", RECONCILE, (), queue)


def mirror_job(turn: str = "tick") -> Call:
    """Return the job that writes the mirror; there are two names, so that a job can queue the one after it."""
    return Call(f"mirror-{turn}", MIRROR, (turn,), MIRROR_QUEUE)


def new_job(queue: Queue, call: Call, status: JobStatus) -> Job:
    """Return RQ's job for a call, not yet saved: its result is not kept, its failure for a day."""
    return queue.create_job(
        call.function,
        args=call.args,
        job_id=call.job_id,
        result_ttl=0,
        failure_ttl=FAILURE_TTL_S,
        timeout=JOB_TIMEOUT_S,
        status=status,
    )
