"""The table: every failure with its play, and what is to be seen of it."""

from dataclasses import dataclass, field

from funnel_app.campaigns.reasons import with_words
from tests.failures import parts, plays
from tests.failures.noticed import Noticed
from tests.failures.plays import Play, answered, broken_template, paused, quota, reported, worker_killed

# What ends by itself within seconds.
QUIET = Noticed()
A_WHILE = {"minutes": 2}
TEMPLATE = Noticed("templates (fault), invariants (warning)", "Emails cannot be made")
NO_NOTION = Noticed(
    "notion token (fault), invariants (warning)",
    "Emails cannot be made; Notion cannot be read",
)

NO_RESEND = Noticed(
    "sending (warning), resend key (fault), invariants (warning)",
    "A check found a fault (resend key); Resend does not take emails",
)
WRONG_KEY = Noticed(
    "sending (warning), resend key (fault)",
    "Sending is paused; A check found a fault (resend key)",
)


def undelivered(how: str) -> Noticed:
    """What is noticed of an email that ended so."""
    return Noticed("undelivered (warning)", how)


@dataclass(frozen=True)
class Failure:
    """One thing that goes wrong: its play, the email's states, and what notices it while it lasts so long."""

    name: str
    play: Play
    meanwhile: str
    at_last: str = "delivered"
    noticed: Noticed = QUIET
    lasts: dict[str, float] = field(default_factory=dict)


FAILURES = (
    Failure("empty template", broken_template(html=""), "held", noticed=TEMPLATE),
    Failure("template without a subject", broken_template(subject=""), "held", noticed=TEMPLATE),
    Failure("misnamed template", plays.misnamed_template, "held", noticed=TEMPLATE),
    Failure("archived template", broken_template(status="Archived"), "held", noticed=TEMPLATE),
    Failure("template broken while it is typed", broken_template(html="<p>Hi {{ first_na"), "held", noticed=TEMPLATE),
    Failure(
        "good template half retyped",
        plays.half_typed_template,
        "sent",
        noticed=Noticed(
            "templates (fault)",
            "A text cannot be sent (Day 1: your holiday playbook)",
        ),
        lasts=A_WHILE,
    ),
    Failure(
        "comment that swallows the letter",
        broken_template(html="<p>Hi</p><!-- note —><p>Your week</p>"),
        "held",
        noticed=TEMPLATE,
    ),
    Failure(
        "letter that hides its words", broken_template(html='<p style="display:none">Hi</p>'), "held", noticed=TEMPLATE
    ),
    Failure(
        "curly quotes around a link",
        broken_template(html="<a href=“https://x.example”>Hi</a>"),
        "held",
        noticed=TEMPLATE,
    ),
    Failure("source of an email builder", broken_template(html="<mjml><mj-body/></mjml>"), "held", noticed=TEMPLATE),
    Failure("placeholder of another tool", broken_template(html="<p>Hi *|FNAME|*</p>"), "held", noticed=TEMPLATE),
    Failure(
        "filter without a bound", broken_template(html="<p>{{ 5|round(999999999) }}</p>"), "held", noticed=TEMPLATE
    ),
    Failure("unknown variable", broken_template(html="<p>{{ frist_name }}</p>"), "held", noticed=TEMPLATE),
    Failure(
        "variable that nothing provides",
        broken_template(html="<p>{{ portal_url }}</p>"),
        "held",
        noticed=Noticed(
            "templates (warning), invariants (fault)",
            "Emails cannot be made",
        ),
    ),
    Failure("wrong Notion token", plays.notion_refuses, "held", noticed=NO_NOTION, lasts=A_WHILE),
    Failure("Notion away", plays.notion_away, "held", noticed=NO_NOTION, lasts=A_WHILE),
    Failure(
        "wrong Resend key",
        answered(paused("403 invalid_api_key: API key is invalid"), wait=plays.AN_HOUR, fault=plays.WRONG_KEY),
        "sending",
        noticed=WRONG_KEY,
    ),
    Failure(
        "unverified domain",
        answered(
            paused("403 validation_error: The domain mail.businessx.example is not verified"),
            wait=plays.AN_HOUR,
            known=plays.UNVERIFIED,
        ),
        "sending",
        noticed=Noticed(
            "sending (warning), from domain (fault)",
            "Sending is paused; A check found a fault (from domain)",
        ),
    ),
    Failure("refused address", plays.refused_address, "failed", "failed", undelivered("Emails failed"), A_WHILE),
    Failure(
        "bounce",
        reported("email.bounced", with_words("mailbox does not exist", "smtp; 550 5.1.1 no such mailbox")),
        "bounced",
        "bounced",
        undelivered("Emails bounced"),
        A_WHILE,
    ),
    Failure("full mailbox", plays.soft_bounce, "delayed"),
    Failure(
        "complaint",
        reported("email.complained"),
        "complained",
        "complained",
        undelivered("Emails were marked as spam"),
        A_WHILE,
    ),
    Failure(
        "address on Resend's suppression list",
        reported("email.suppressed", "an earlier email to this address bounced, so Resend does not mail it"),
        "suppressed",
        "suppressed",
        undelivered("Emails that Resend did not send"),
        A_WHILE,
    ),
    Failure(
        "rate limit",
        answered(plays.TOO_FAST, wait={"seconds": 31}),
        "sending",
        noticed=Noticed(
            "sending (fault)",
            "none",
        ),
    ),
    Failure(
        "daily quota",
        answered(quota("daily_quota_exceeded", 12), wait={"hours": 12}, used=plays.NOTHING_LEFT),
        "sending",
        noticed=Noticed(
            "sending (warning), resend quota (fault)",
            "Sending is paused; A check found a fault (resend quota)",
        ),
    ),
    Failure(
        "monthly quota",
        answered(quota("monthly_quota_exceeded", 150), wait={"hours": 150}, used=plays.NOTHING_LEFT),
        "sending",
        noticed=Noticed(
            "sending (warning), resend quota (fault)",
            "Sending is paused; A check found a fault (resend quota)",
        ),
    ),
    Failure(
        "Resend away",
        answered(plays.NO_CONNECTION, wait={"minutes": 1}, fault=plays.AWAY),
        "sending",
        lasts={"minutes": 6},
        noticed=NO_RESEND,
    ),
    Failure(
        "a proxy that refuses Resend",
        answered(plays.REFUSED_BY_PROXY, wait={"minutes": 1}, fault=plays.PROXY_IN_THE_WAY),
        "sending",
        lasts={"minutes": 6},
        noticed=NO_RESEND,
    ),
    Failure(
        "key with a character that no key has",
        answered(plays.UNWRITABLE, wait=plays.AN_HOUR, fault=plays.UNWRITABLE_FAULT),
        "sending",
        noticed=WRONG_KEY,
    ),
    Failure(
        "timeout after acceptance",
        answered(("accepted", plays.LOST), wait={"minutes": 1}),
        "sending",
        noticed=Noticed(
            "sending (fault)",
            "none",
        ),
    ),
    Failure(
        "in doubt for an hour",
        plays.doubt_of_an_hour,
        "ambiguous",
        noticed=Noticed(
            "sending (fault), invariants (warning)",
            "Emails that may have gone out",
        ),
    ),
    Failure("409, still being worked on", answered(plays.STILL_RUNNING, wait={"minutes": 1}), "sending"),
    Failure(
        "409, another payload",
        plays.other_payload,
        "ambiguous",
        noticed=Noticed(
            "invariants (warning)",
            "Emails that may have gone out",
        ),
    ),
    Failure(
        "lost webhook",
        plays.lost_webhook,
        "sent",
        lasts={"minutes": 12},
        noticed=Noticed(
            "invariants (warning)",
            "No word of emails that went out",
        ),
    ),
    Failure(
        "lost webhook, and a key that may only send",
        plays.lost_webhook_and_a_key_that_only_sends,
        "sent",
        lasts={"minutes": 12},
        noticed=Noticed(
            "resend key (warning), invariants (warning)",
            "No word of emails that went out",
        ),
    ),
    Failure("webhook before our own record", plays.webhook_before_record, "delivered"),
    Failure("worker killed before the call", worker_killed("_compose_each", {}), "sending"),
    Failure("worker killed during the call", worker_killed("apply_response", None), "sending"),
    Failure(
        "scheduler dead",
        parts.scheduler_dead,
        "planned",
        lasts={"minutes": 1},
        noticed=Noticed(
            "scheduler (fault), overdue (warning)",
            "The scheduler is silent",
        ),
    ),
    Failure(
        "no worker",
        parts.worker_dead,
        "planned",
        lasts={"minutes": 1},
        noticed=Noticed(
            "workers (fault), overdue (warning)",
            "Workers are missing",
        ),
    ),
    Failure(
        "clock jump",
        parts.clock_jump,
        "planned",
        noticed=Noticed(
            "clock (fault), sending (warning)",
            "The clock is wrong",
        ),
    ),
    Failure(
        "Redis away",
        parts.redis_away,
        "planned",
        lasts={"minutes": 1},
        noticed=Noticed(
            "redis (fault), overdue (warning)",
            "Redis does not work",
        ),
    ),
    Failure(
        "Redis that takes no writes",
        parts.redis_takes_no_writes,
        "planned",
        lasts={"minutes": 1},
        noticed=Noticed(
            "redis (fault), overdue (warning)",
            "Redis does not work",
        ),
    ),
    Failure(
        "one of several worker containers dies",
        parts.other_container_dies,
        "sent",
        noticed=Noticed("workers (warning)", "Workers are missing"),
        lasts={"minutes": 1},
    ),
    Failure(
        "backup that fails",
        parts.backup_fails,
        "sent",
        noticed=Noticed("backups (fault)", "No backup was made"),
    ),
    Failure(
        "backup damaged after it was made",
        parts.backup_is_damaged,
        "sent",
        noticed=Noticed("backups (fault)", "A backup was damaged after it was made (funnel-20261123T080003Z.db.gz)"),
        lasts=A_WHILE,
    ),
    Failure(
        "replica that stops",
        parts.replica_stops,
        "sent",
        noticed=Noticed("replica (fault)", "The replica is behind"),
        lasts=A_WHILE,
    ),
    Failure(
        "dead man's switch that is gone",
        parts.switch_is_gone,
        "delivered",
        noticed=Noticed("heartbeat (fault)", "The dead man's switch does not hear us"),
    ),
    Failure(
        "full disk",
        parts.full_disk,
        "planned",
        noticed=Noticed(
            "disk space (fault)",
            "The ledger cannot be used",
        ),
    ),
    Failure(
        "ledger that takes no writes",
        parts.unwritable("PRAGMA query_only = 1", "readonly"),
        "planned",
        noticed=Noticed("ledger (fault)", "The ledger cannot be used"),
    ),
    Failure(
        "damaged ledger",
        parts.damaged_ledger,
        "sent",
        noticed=Noticed("ledger (fault)", "A check found a fault (ledger); The ledger is damaged"),
    ),
)
