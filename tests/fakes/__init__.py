"""Gateways that remember what they were asked, for tests of what happens between them.

`tests/gateways/test_twins.py` holds them to the same contract as the real ones.
"""

from tests.fakes.clock import FrozenClock
from tests.fakes.notion import FakeNotebook, JudgeHere
from tests.fakes.outside import FakeAlerts, FakePublic, FakeReceivers
from tests.fakes.queues import FakeQueues
from tests.fakes.redis import FakeFetchLock, FakePause, FakeProcessStatus, FakeRate
from tests.fakes.resend import FakeAccount, FakeInbox, FakeMailer

__all__ = [
    "FakeAccount",
    "FakeAlerts",
    "FakeFetchLock",
    "FakeInbox",
    "FakeMailer",
    "FakeNotebook",
    "FakePause",
    "FakeProcessStatus",
    "FakePublic",
    "FakeQueues",
    "FakeRate",
    "FakeReceivers",
    "FrozenClock",
    "JudgeHere",
]
