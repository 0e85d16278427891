"""Each fake is called as the gateway that it stands for; what it answers is held to it in `test_twins.py`."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from funnel_app.gateways.http.chat import Alerts
from funnel_app.gateways.http.public_url import PublicUrlProbe
from funnel_app.gateways.http.receivers import Receivers
from funnel_app.gateways.letters.judge_process import JudgeProcess
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.gateways.redis.fetch_lock import FetchLock
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.redis.rate_limiter import SendingPause, SendingRate
from funnel_app.gateways.resend.account import Account
from funnel_app.gateways.resend.inbox import Inbox
from funnel_app.gateways.resend.mailer import Mailer
from tests import fakes

STANDS_FOR = {
    fakes.FakeAccount: Account,
    fakes.FakeAlerts: Alerts,
    fakes.FakeFetchLock: FetchLock,
    fakes.FakeInbox: Inbox,
    fakes.FakeMailer: Mailer,
    fakes.FakeNotebook: NotionTemplates,
    fakes.FakePause: SendingPause,
    fakes.FakePublic: PublicUrlProbe,
    fakes.FakeQueues: Queues,
    fakes.FakeRate: SendingRate,
    fakes.FakeReceivers: Receivers,
    fakes.FakeProcessStatus: ProcessStatus,
    fakes.JudgeHere: JudgeProcess,
}
# By these a test writes what the world outside holds, and reads what came there.
OF_TESTS = {"emails", "requests", "sent", "sent_to", "write"}


def verbs(kind: type) -> dict[str, Callable[..., Any]]:
    return {name: each for name, each in vars(kind).items() if inspect.isfunction(each) and name[0] != "_"}


def taken(verb: Callable[..., Any]) -> list[tuple[str, bool]]:
    """Return what a verb is given, and whether each may be left out."""
    given = inspect.signature(verb).parameters.values()
    return [(each.name, each.default is not each.empty) for each in given]


def test_every_fake_stands_for_a_gateway():
    assert {kind.__name__ for kind in STANDS_FOR} == {*fakes.__all__} - {"FrozenClock"}


@pytest.mark.parametrize("fake", STANDS_FOR, ids=lambda fake: fake.__name__)
def test_a_fake_has_the_verbs_of_its_gateway(fake):
    real = verbs(STANDS_FOR[fake])
    own = {name: taken(verb) for name, verb in verbs(fake).items() if name not in OF_TESTS}
    assert own == {name: taken(real[name]) for name in own if name in real}
