"""Send tests: letters of templates to one address, made and submitted like real ones, in no figure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.recipients import is_test_recipient
from funnel_app.deps import Deps
from funnel_app.flows.addresses import NotAnAddress, required, written
from funnel_app.flows.templates.judged_pages import Reading, read_all, read_one
from funnel_app.flows.templates.preview import CannotPreview, compose_preview, find_place
from funnel_app.flows.templates.samples import sample
from funnel_app.flows.turn import LONGEST_SLEEP_S, turn
from funnel_app.gateways.resend.mailer import Answer, AnswerKind
from funnel_app.ledger import suppressions
from funnel_app.ledger.models.types import new_id
from funnel_app.letters.letter import Letter
from funnel_app.letters.wire import as_resend

MARK = "[Test] "
ONCE_IN_S = 600
PAUSES_S = (1.0, 2.0, 3.0)
PASSING = frozenset(
    {AnswerKind.RATE_LIMITED, AnswerKind.CONCURRENT, AnswerKind.UNKNOWN, AnswerKind.UNREACHABLE}
)  # fmt: skip


@dataclass(frozen=True)
class Tested:
    """The result of one template's test: sent, or why not."""

    key: str
    sent: bool
    detail: str


def send_tests(deps: Deps, keys: Sequence[str], address: str, sample_name: str) -> Iterator[Tested]:
    """Send a letter of each template, by default all, to one address; return each result.

    The same letter goes to the same address once in ten minutes, so that an interrupted call can be repeated. Raises
    CannotPreview if not allowed, and Unavailable or Rejected.
    """
    to = _may_be_mailed(deps, address)
    for key in keys:
        find_place(deps.registry, key)
    readings = [read_one(deps, key) for key in keys] if keys else read_all(deps)[0]
    return (_send(deps, reading, to, sample_name) for reading in readings)


def _may_be_mailed(deps: Deps, address: str) -> str:
    try:
        to, email_norm = written(address), required(address)
    except NotAnAddress as fault:
        raise CannotPreview(str(fault)) from None
    if deps.mode is Mode.TEST and not is_test_recipient(email_norm, deps.settings.test_recipients):
        raise CannotPreview(f"This process is in testing mode, and {to} is not in TEST_RECIPIENTS")
    with deps.reads() as session:
        stopped = suppressions.find(session, email_norm, deps.settings.secret_key, "transactional")
    if stopped is not None:
        raise CannotPreview(f"{to} is not mailed: {stopped.reason}")
    return to


def _send(deps: Deps, reading: Reading, to: str, sample_name: str) -> Tested:
    campaign, sequence = find_place(deps.registry, reading.key)
    tags = {"test": "template", "template": reading.key}
    recipient = sample(deps, campaign, sample_name, deps.registry.find_template(reading.key))
    made = compose_preview(deps, reading, sequence, recipient, to=to, tags=tags)
    if made.letter is None:
        return Tested(reading.key, False, "; ".join(p.detail for p in made.problems if p.blocking))
    if made.missing:
        return Tested(reading.key, False, f"nothing provides {', '.join(made.missing)}")
    if pause := deps.pause.current():
        return Tested(reading.key, False, f"all sending is paused: {pause.reason}")
    return _submit(deps, reading.key, replace(made.letter, subject=MARK + made.letter.subject))


def _submit(deps: Deps, key: str, letter: Letter) -> Tested:
    payload = as_resend(letter)
    answer = _ask(deps, payload, _idempotency_key(payload, deps.now()))
    if answer.kind is AnswerKind.ACCEPTED:
        return Tested(key, True, f"{letter.subject} ({answer.ids[0]})")
    return Tested(key, False, f"Resend: {answer.detail or answer.kind}")


def _ask(deps: Deps, payload: dict[str, object], key: str) -> Answer:
    for pause_s in PAUSES_S:
        answer = _try(deps, payload, key)
        if answer.kind not in PASSING:
            return answer
        deps.sleep(min(answer.retry_after or pause_s, LONGEST_SLEEP_S))
    return _try(deps, payload, key)


def _try(deps: Deps, payload: dict[str, object], key: str) -> Answer:
    with turn(deps, new_id()):
        return deps.mailer.send([payload], key)


def _idempotency_key(payload: dict[str, object], now: datetime) -> str:
    window = int(now.timestamp()) // ONCE_IN_S
    return f"test-{window}-{sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()}"
