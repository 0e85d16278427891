"""The collaborators of one process, built once and passed in; tests pass in others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import sleep as pause_for
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.registry import Registry, load_registry
from funnel_app.config import ConfigError, Settings
from funnel_app.gateways.http.chat import Alerts
from funnel_app.gateways.http.public_url import PublicUrlProbe, world_time
from funnel_app.gateways.http.receivers import Receivers, receiver_key
from funnel_app.gateways.letters.judge_process import JudgeProcess
from funnel_app.gateways.litestream import Replica
from funnel_app.gateways.notion.budget import NotionBudget
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.pages import TemplateNames
from funnel_app.gateways.notion.schema import SchemaError, Table, load_schema
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.gateways.notion.workspace import NotionWorkspace
from funnel_app.gateways.redis.clients import fail_fast_client
from funnel_app.gateways.redis.fetch_lock import FetchLock
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.redis.rate_limiter import SendingPause, SendingRate
from funnel_app.gateways.redis.throttle import Throttle
from funnel_app.gateways.resend.account import Account
from funnel_app.gateways.resend.inbox import Inbox
from funnel_app.gateways.resend.mailer import Mailer
from funnel_app.ledger.database.crowd import Crowd
from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.database.group_commit import GroupCommit
from funnel_app.ledger.database.storage import file_of
from funnel_app.ledger.outbox import LISTENERS
from funnel_app.steady_clock import CLOCK, SteadyClock

FAILURES_PER_MINUTE = 30
# An email waits this long for a hanging Notion; then the last good text is used.
NOTION_TIMEOUT_S = 7.0
# Longer than the window of the slowest budget, so that the mirror always progresses.
MIRROR_PATIENCE_S = 2.5


@dataclass(frozen=True, kw_only=True)
class Deps:
    """The collaborators of all flows: sessions, gateways, campaigns and the clock."""

    settings: Settings
    registry: Registry
    engine: Engine
    sessions: sessionmaker[Session]
    reads: sessionmaker[Session]
    mailer: Mailer
    notebook: NotionTemplates
    fetch_lock: FetchLock
    queues: Queues
    rate: SendingRate
    pause: SendingPause
    throttle: Throttle
    process_status: ProcessStatus
    account: Account
    inbox: Inbox
    alerts: Alerts
    receivers: Receivers
    public: PublicUrlProbe
    desk: NotionWorkspace
    judge: JudgeProcess
    replica: Replica | None = None
    world_time: Callable[[str], datetime] = world_time
    clock: SteadyClock = CLOCK
    now: Callable[[], datetime] = CLOCK.now
    sleep: Callable[[float], None] = pause_for
    crowd: Crowd = field(default_factory=Crowd)
    intake: GroupCommit[Any, Any] = field(default_factory=GroupCommit)
    events: GroupCommit[Any, bool] = field(default_factory=GroupCommit)

    @property
    def mode(self) -> Mode:
        """The mode of new enrolments."""
        return Mode.TEST if self.settings.testing_mode else Mode.LIVE

    @property
    def sendable_modes(self) -> tuple[Mode, ...]:
        """The modes whose emails this process may send: in testing mode live emails wait."""
        return (Mode.TEST, Mode.CANARY) if self.settings.testing_mode else (Mode.LIVE, Mode.TEST, Mode.CANARY)


def build_deps(settings: Settings) -> Deps:
    """Build the collaborators without opening a connection, so that forked processes share none."""
    engine = listened_to(open_engine(settings.database_url), settings)
    sessions, reads = make_sessions(engine)
    queues = Queues(settings.redis_url, CLOCK.time)
    schema = _load_notion_schema(settings)
    budget = NotionBudget(fail_fast_client(settings.redis_url), settings.notion_rate_limit)
    crowd = Crowd()
    return Deps(
        settings=settings,
        registry=load_registry(settings.extra_campaigns, settings.campaigns_dir),
        engine=engine,
        sessions=sessions,
        reads=reads,
        mailer=Mailer(settings.resend_api_key, settings.resend_api_url),
        notebook=NotionTemplates(
            settings.notion_token,
            settings.notion_templates_db_id,
            names=TemplateNames(**{key: prop.name for key, prop in schema["templates"].properties.items()}),
            calls=NotionCalls(settings.notion_token, settings.notion_api_url, NOTION_TIMEOUT_S, budget=budget),
        ),
        desk=_desk(settings, schema, budget),
        judge=JudgeProcess(),
        fetch_lock=FetchLock(queues.connection),
        queues=queues,
        rate=SendingRate(
            queues.connection, rate_per_second=settings.resend_rate_limit, share=settings.resend_rate_share
        ),
        pause=SendingPause(queues.connection, CLOCK.time),
        throttle=Throttle(settings.redis_url, per_minute=FAILURES_PER_MINUTE),
        process_status=ProcessStatus(settings.redis_url, CLOCK.time),
        account=Account(CLOCK.now),
        inbox=Inbox(CLOCK.now),
        alerts=Alerts(),
        receivers=Receivers(),
        public=PublicUrlProbe(settings.public_url, settings.hook_secrets[0]),
        replica=_replica(settings, engine),
        crowd=crowd,
        intake=GroupCommit(crowd),
        events=GroupCommit(crowd),
    )


def listened_to(engine: Engine, settings: Settings) -> Engine:
    """Return the engine, set up to store lead events for these receivers."""
    keys = tuple(map(receiver_key, settings.events_webhook_urls))
    return engine.execution_options(**{LISTENERS: keys}) if keys else engine


def _replica(settings: Settings, engine: Engine) -> Replica | None:
    file = file_of(engine)
    return Replica(settings.replica_url, file) if settings.replica_url and file else None


def _load_notion_schema(settings: Settings) -> dict[str, Table]:
    try:
        return load_schema(settings.notion_property_names)
    except SchemaError as fault:
        raise ConfigError(str(fault)) from None


def _desk(settings: Settings, schema: Mapping[str, Table], budget: NotionBudget) -> NotionWorkspace:
    # Mirror calls yield to template calls, and give up sooner.
    calls = NotionCalls(
        settings.notion_token,
        settings.notion_api_url,
        NOTION_TIMEOUT_S,
        budget=budget,
        low=True,
        patience_s=MIRROR_PATIENCE_S,
    )
    ids = {
        "templates": settings.notion_templates_db_id,
        "contacts": settings.notion_contacts_db_id,
        "sequences": settings.notion_sequences_db_id,
    }
    return NotionWorkspace(calls, schema, ids)
