"""The stage on which failures are played: one lead, her first email, and a worker and scheduler that one can stop."""

from collections import Counter
from uuid import UUID

from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.recheck import recheck_held
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.sending.submit import repeat
from funnel_app.flows.tracing.trace import trace
from tests.failures.noticed import Noticed, Watcher
from tests.flows.leads import email_ids, look, opt_in, write_templates
from tests.flows.monitoring.live import GOOD
from tests.flows.sending.test_record_event import report

LEAD = "ana@resend.dev"
KEY = "lead_nurture_email_1"


class Stage:
    """One lead of the live funnel; `go` lets the scheduler and a worker do all that can be done at this moment."""

    def __init__(self, deps) -> None:
        self.deps = deps
        self.noticed: Noticed | None = None
        write_templates(deps, GOOD)
        self.watcher = Watcher(deps)

    def write(self, **page: str) -> None:
        """Write the first email's template, good in all that the test does not say."""
        self.deps.notebook.write(KEY, **{"html": GOOD, **page})

    def sign_up(self) -> UUID:
        self.first = email_ids(opt_in(self.deps, LEAD))[0]
        self.deps.queues.queued.clear()
        self.deps.queues.clock.clear()
        return self.first

    def go(self, **after: float) -> None:
        self.deps.now.forward(**{"seconds": 3, **after})
        for _ in range(4):
            sweep(self.deps)
            if not self.deps.queues.queued:
                return
            self.work()

    def work(self) -> None:
        """Do the jobs that wait, as a worker does."""
        jobs, self.deps.queues.queued = self.deps.queues.queued, []
        for name in jobs:
            kind, _, number = name.partition("-")
            if kind == "email":
                deliver(self.deps, [UUID(number)])
            elif kind == "request":
                repeat(self.deps, UUID(number))
            else:
                {"recheck-held": recheck_held, "reconcile": reconcile}[name](self.deps)

    def told(self, kind: str = "email.delivered", **more: str | None) -> None:
        """Let Resend's webhook report something of the first email."""
        record_event(self.deps, report(self.deps, self.first, kind, **more))

    @property
    def email(self):
        return look(self.deps, self.first)

    @property
    def sentence(self) -> str:
        (enrolment,) = trace(self.deps, LEAD)["enrolments"]
        return enrolment["sentence"].replace(str(self.first), "ID")

    def sent(self) -> Counter[str]:
        """How often each subject went out."""
        ours = (payload for payload in self.deps.mailer.sent() if payload["to"] == [LEAD])
        return Counter(payload["subject"] for payload in ours)
