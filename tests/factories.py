"""Settings and collaborators for tests, with what a test says and sensible values for the rest."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Engine

from funnel_app.campaigns.registry import Registry, load_registry
from funnel_app.config import Settings
from funnel_app.deps import MIRROR_PATIENCE_S, Deps, listened_to
from funnel_app.gateways.notion.budget import NotionBudget
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.schema import Table, load_schema
from funnel_app.gateways.notion.workspace import NotionWorkspace
from funnel_app.gateways.redis.throttle import Throttle
from funnel_app.ledger.database.engine import make_sessions
from funnel_app.setting_rows import row_of
from funnel_app.steady_clock import SteadyClock
from tests.fakes import (
    FakeAccount,
    FakeAlerts,
    FakeFetchLock,
    FakeInbox,
    FakeMailer,
    FakeNotebook,
    FakePause,
    FakeProcessStatus,
    FakePublic,
    FakeQueues,
    FakeRate,
    FakeReceivers,
    FrozenClock,
    JudgeHere,
)
from tests.outside_transactions import Outside, watch

HOOK_SECRET = "hook-secret-of-tests"
LEGACY_KEY = "legacy-key-of-tests"
CALENDLY_KEY = "calendly-key-of-tests"
METRICS_TOKEN = "metrics-token-of-tests"
CALCOM_KEY = "calcom-key-of-tests"
WEBHOOK_SECRET = "whsec_c2FuZGJveC1zaWduaW5nLXNlY3JldA=="


# What tests run with where no setting's own default will do.
OF_TESTS = {
    "secret_key": "k" * 40,
    "public_url": "https://funnel.example",
    "testing_mode": True,
    "hook_secrets": (HOOK_SECRET,),
    "legacy_key": LEGACY_KEY,
    "calendly_signing_keys": (CALENDLY_KEY,),
    "calendly_api_url": "http://127.0.0.1:1/calendly",
    "calcom_signing_keys": (CALCOM_KEY,),
    "resend_api_key": "re_test",
    "resend_api_url": "http://127.0.0.1:1/resend",
    "resend_webhook_secret": WEBHOOK_SECRET,
    "from_email": "BusinessX <hello@mail.businessx.example>",
    "notion_token": "ntn_test",
    "notion_api_url": "http://127.0.0.1:1/notion",
    "notion_templates_db_id": "5a2b0d00-0000-4000-8000-000000000001",
    "console_password": "console",
    "company_name": "BusinessX",
    "company_address": "1 Market Street, Toronto",
    "database_url": "sqlite://",
    "redis_url": "redis://127.0.0.1:1/0",
    "metrics_token": METRICS_TOKEN,
}


def make_settings(**overrides: Any) -> Settings:
    """Return the settings of a test: what it says, else what all tests have, else the default."""
    rows = {each.name: row_of(each) for each in fields(Settings)}
    defaults = {name: row.made() for name, row in rows.items() if not row.is_required}
    return Settings(**{**defaults, **OF_TESTS, **overrides})


def make_desk(notion_url: str, clock: FrozenClock, **database_ids: str) -> NotionWorkspace:
    """Return a desk in a Notion over HTTP, whose waits only move the clock."""

    def sleep(seconds: float) -> None:
        clock.forward(seconds=seconds)

    budget = NotionBudget(None, 3.0, now=lambda: clock().timestamp(), sleep=sleep)
    calls = NotionCalls("ntn_test", notion_url, budget=budget, low=True, patience_s=MIRROR_PATIENCE_S)
    return NotionWorkspace(calls, load_schema(), database_ids)


@cache
def christmas_only() -> Registry:
    """Return the registry of the Christmas campaign alone, so that a new campaign's file breaks no test."""
    whole = load_registry()
    return Registry({"christmas": whole.campaign("christmas")})


@cache
def one_sequence(name: str) -> Registry:
    """Return the campaign with one sequence of its own: who looks at all templates then looks at few."""
    christmas = christmas_only().campaign("christmas")
    return Registry({"christmas": replace(christmas, sequences={name: christmas.sequences[name]})})


@cache
def first_steps() -> Registry:
    """Return the campaign with the first step of each sequence, for who looks at all templates again and again."""
    christmas = christmas_only().campaign("christmas")
    short = {name: replace(each, steps=each.steps[:1]) for name, each in christmas.sequences.items()}
    return Registry({"christmas": replace(christmas, sequences=short)})


@cache
def notion_schema() -> dict[str, Table]:
    """Return the schema of the databases in Notion, read once."""
    return load_schema()


def seconds_of(clock: Callable[[], datetime]) -> Callable[[], float]:
    """Return what reads a clock in seconds, for one that neither jumps nor counts otherwise."""
    return lambda: clock().timestamp()


def jumping_clock(deps: Deps) -> Callable[..., None]:
    """Give collaborators a machine whose clock can be set wrong; return what sets it, by how much it is ahead."""
    ahead, counted = timedelta(0), seconds_of(deps.now)

    def jump(**by: float) -> None:
        nonlocal ahead
        ahead = timedelta(**by)

    object.__setattr__(deps, "clock", SteadyClock(lambda: counted() + ahead.total_seconds(), counted))
    return jump


def make_deps(engine: Engine, **settings: Any) -> Deps:
    """Return collaborators over a real ledger with fake gateways and a clock that stands."""
    made = make_settings(**settings)
    engine = listened_to(engine, made)
    sessions, reads = make_sessions(engine)
    watch(sessions)
    watch(reads)
    clock = FrozenClock()
    return Deps(
        settings=made,
        registry=christmas_only(),
        engine=engine,
        sessions=sessions,
        reads=reads,
        mailer=Outside(FakeMailer()),  # type: ignore[arg-type]
        notebook=Outside(FakeNotebook()),  # type: ignore[arg-type]
        judge=Outside(JudgeHere()),  # type: ignore[arg-type]
        fetch_lock=Outside(FakeFetchLock(clock)),  # type: ignore[arg-type]
        queues=Outside(FakeQueues()),  # type: ignore[arg-type]
        rate=Outside(FakeRate()),  # type: ignore[arg-type]
        pause=Outside(FakePause(clock)),  # type: ignore[arg-type]
        throttle=Throttle(None, per_minute=30),
        process_status=Outside(FakeProcessStatus(clock)),  # type: ignore[arg-type]
        account=Outside(FakeAccount()),  # type: ignore[arg-type]
        inbox=Outside(FakeInbox()),  # type: ignore[arg-type]
        alerts=Outside(FakeAlerts()),  # type: ignore[arg-type]
        receivers=Outside(FakeReceivers()),  # type: ignore[arg-type]
        public=Outside(FakePublic()),  # type: ignore[arg-type]
        world_time=lambda url: clock(),
        desk=NotionWorkspace(NotionCalls("ntn_test"), notion_schema(), {}),
        clock=SteadyClock(seconds_of(clock), seconds_of(clock)),
        now=clock,
        sleep=lambda seconds: clock.forward(seconds=seconds),
    )
