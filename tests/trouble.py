"""A day on which much goes wrong at once, for the pictures.

Two campaigns, long and hostile names, and all that needs a person.
"""

import base64
import json
import zlib
from dataclasses import replace

from redis import Redis

from funnel_app.campaigns.registry import Registry, whole_registry
from funnel_app.deps import Deps
from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.lists.import_settings import ImportSettings
from funnel_app.flows.lists.take_uploaded import take_waiting
from funnel_app.flows.lists.uploads import keep_list, list_imports, look, start
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.replies.keep import Arrival, keep_received
from funnel_app.flows.replies.work import answer_received
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.templates.serving import check_templates
from funnel_app.gateways.redis.job_names import DELIVER
from funnel_app.gateways.resend.inbox import IncomingEmail
from funnel_app.rules.call import Call
from funnel_app.rules.reports import Report
from tests.console_world import catch_up, report, send
from tests.flows.leads import call, email_ids

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
HOSTILE = "<img src=x onerror=alert(1)>\"'); DROP TABLE contacts;--"
ADDRESS = "delivered+" + "a.very.long.name." * 3 + "x@resend.dev"
COMPARED = "evergreen_welcome_email_1"
FAIR = (
    b"Email Address,First Name,Status,Tags\nana@example.com,Ana,Subscribed,fair\n"
    b"ben@example.com,Ben,Unsubscribed,fair\n"
    b"not an address,Cleo,Subscribed,fair\ndelivered+dot@resend.dev,Dot,Subscribed,fair\n"
)


def two_campaigns() -> Registry:
    """Return the season's campaign and that of all year, with long names and two texts for its first email."""
    whole = whole_registry()
    evergreen = whole.campaign("evergreen")
    welcome = evergreen.sequences["evergreen_welcome"]
    first = replace(welcome.step(1), templates=(COMPARED, f"{COMPARED}b"))
    long = replace(welcome, title=f"All year: four letters of the {LONG}", steps=(first, *welcome.steps[1:]))
    campaign = replace(
        evergreen, title=f"All Year Round at the {LONG}", sequences={**evergreen.sequences, welcome.name: long}
    )
    return Registry({"christmas": whole.campaign("christmas"), "evergreen": campaign})


def go_wrong(deps: Deps, leads: dict[str, Receipt]) -> dict[str, Receipt]:
    """Let all of it happen after weeks of leads; return those that a picture is of, beside the others."""
    found = dict(leads)
    for happens in (_compare_texts, _sign_up_oddly, _complain, _write_back, _import_a_list):
        found |= happens(deps)
    pause_sending(deps, PauseRequest("five_day", "new prices from the first of the month", "Monday 09:00"), "Olga")
    deps.notebook.write("christmas_email_3", subject="Six chairs", html="<p>Hi {{ first_name </p>")
    deps.now.forward(minutes=3)
    check_templates(deps)
    note(deps, {("backup_failed", LONG): f"No room is left on {LONG}, so that nothing can be kept."}, ())
    return found


def _named(address: str, contact: dict[str, str]) -> Call:
    """Return a sign-up whose payload has the address, as the website's has."""
    return call(address, contact=contact, payload={"email": address, **contact})


def _compare_texts(deps: Deps) -> dict[str, Receipt]:
    deps.notebook.pages[f"{COMPARED}b"] = deps.notebook.pages[COMPARED]
    deps.notebook.write(f"{COMPARED}b", subject="Three numbers, said shortly", html="<p>Hi {{ first_name }}</p>")
    for number in range(24):
        come = _named(f"delivered+year{number}@resend.dev", {"first_name": f"Person {number}"})
        come = replace(come, campaign="evergreen")
        send(deps, enrol(deps, come), 1, None if number % 5 == 4 else "email.delivered")
    return {}


def _sign_up_oddly(deps: Deps) -> dict[str, Receipt]:
    hostile = {"first_name": HOSTILE, "name": HOSTILE, "business_name": HOSTILE}
    long = {"first_name": LONG, "name": f"{LONG} {LONG}", "business_name": LONG}
    found = {
        who: enrol(deps, _named(address, contact))
        for who, address, contact in (("hostile", "delivered+hostile@resend.dev", hostile), ("long", ADDRESS, long))
    }
    catch_up(deps)
    return found


def _complain(deps: Deps) -> dict[str, Receipt]:
    receipt = enrol(deps, _named("delivered+cross@resend.dev", {"first_name": "Cross"}))
    send(deps, receipt, 1)
    report(deps, email_ids(receipt)[0], "email.complained")
    return {"complained": receipt}


def _write_back(deps: Deps) -> dict[str, Receipt]:
    receipt = enrol(deps, _named("delivered+rita@resend.dev", {"first_name": "Rita"}))
    first = email_ids(receipt)[0]
    deliver(deps, [first])
    values = {"at": deps.now(), "resend_id": None, "detail": None, "email_id": first}
    record_event(
        deps, Report(provider_event_id="msg_rita", kind="email.delivered", message_id="rita@email.example", **values)
    )
    for number, (sender, headers) in enumerate(
        [
            ("Rita <delivered+rita@resend.dev>", {"in-reply-to": "<rita@email.example>"}),
            ("Rita <delivered+rita@resend.dev>", {"auto-submitted": "auto-replied"}),
            (f"{HOSTILE} <nobody@example.com>", {}),
        ]
    ):
        deps.inbox.letters[f"in-{number}"] = IncomingEmail(headers, f"Yes, call me.\n{LONG}", None)
        keep_received(deps, Arrival(resend_id=f"in-{number}", sender=sender, subject=f"Re: {LONG}"))
    answer_received(deps)
    return {"replied": receipt}


def _import_a_list(deps: Deps) -> dict[str, Receipt]:
    kept = keep_list(deps, f"{LONG}.csv", FAIR, "Olga")
    guessed = ImportSettings.from_json(list_imports(deps.reads)[0].wish or {}).columns
    look(deps, kept, ImportSettings(columns=guessed, sequence="lead_nurture", consent="form at the fair, 3 May 2026"))
    start(deps, kept, "Olga")
    take_waiting(deps)
    catch_up(deps)
    return {}


def work_and_fail(redis_url: str, email_id: str) -> None:
    """Let Redis hold the job of an email that failed, and the worker that had it."""
    job, was = f"email-{email_id}", "2026-11-24T12:00:00.000000Z"
    failed = base64.b64encode(zlib.compress(f"ValueError: {LONG}".encode())).decode()
    with Redis.from_url(redis_url) as redis:
        data = zlib.compress(json.dumps([DELIVER, None, [email_id], {}]).encode())
        fields = {"data": data, "created_at": was, "enqueued_at": was, "origin": "emails", "status": "failed"}
        redis.hset(f"rq:job:{job}", mapping={**fields, "description": f"{DELIVER}({email_id})", "meta": "{}"})
        redis.xadd(f"rq:results:{job}", {"type": 2, "created_at": "1", "exc_string": failed})
        redis.zadd("rq:failed:emails", {job: 2e9})
        worker = {"birth": was, "queues": "emails", "current_job": job, "version": "2", "state": "busy"}
        redis.hset("rq:worker:w", mapping={**worker, "python_version": "3.11"})
        redis.sadd("rq:workers", "rq:worker:w")
