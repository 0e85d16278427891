"""The ledger's shape: one line of migrations, the same tables on both databases, up and down."""

from datetime import timedelta
from types import ModuleType

import pytest
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, inspect, select, text

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.reasons import ReasonCode
from funnel_app.flows.intake.enrol import enrol
from funnel_app.ledger import bookings, contacts, notices
from funnel_app.ledger import tables as all_tables
from funnel_app.ledger.database import revision, schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Base, Email
from funnel_app.ledger.models.watch import Notice
from tests.factories import make_deps
from tests.flows.leads import assess, call, opt_in
from tests.postgres_server import PostgresServer

VERSIONS = schema.MIGRATIONS / "versions"
TABLES = {
    "bookings", "contacts", "counted_days", "email_events", "emails", "engagements", "enrolments", "heartbeats",
    "hook_events", "import_answers", "imports", "incidents", "messages", "notices", "operator_actions",
    "outgoing_events", "pauses", "received_emails", "receivers", "requests", "suppressions", "template_versions",
    "wishes",
}  # fmt: skip

KEPT = ("contacts", "hook_events", "enrolments", "emails", "email_events")


@pytest.fixture(scope="module")
def server():
    started = PostgresServer().start()
    yield started
    started.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path) -> Engine:
    """A ledger without a table."""
    url = request.getfixturevalue("server").url if request.param == "postgresql" else f"sqlite:///{tmp_path}/f.db"
    engine = open_engine(url)
    yield engine
    if request.param == "postgresql" and schema.current(engine):
        schema.downgrade(engine, "base")
    engine.dispose()


def test_whoever_asks_for_all_tables_gets_them_whatever_was_imported_before():
    """A backup of PostgreSQL left out the table of clicks, which nothing in its process had asked for."""
    homes = {mapper.class_.__module__ for mapper in Base.registry.mappers if "funnel_app" in mapper.class_.__module__}
    assert homes <= {each.__name__ for each in vars(all_tables).values() if isinstance(each, ModuleType)}


def tables(engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def triggers(engine) -> set[str]:
    found = {"sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
             "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"}  # fmt: skip
    with engine.connect() as connection:
        return set(connection.scalars(text(found[engine.dialect.name])))


def triggers_at(step: str) -> set[str]:
    """Those of migration 0028: whatever rebuilds `emails` afterwards, up or down, must make them again."""
    return {"emails_came", "emails_changed", "emails_went"} if step >= "0028" else set()


@pytest.mark.both_databases
def test_up_and_down_and_up_again(empty):
    assert (schema.current(empty), schema.at_head(empty)) == (None, False)
    schema.upgrade(empty)
    assert (schema.current(empty), schema.at_head(empty)) == (schema.head(), True)
    assert tables(empty) == TABLES == set(Base.metadata.tables)
    assert triggers(empty) == triggers_at(schema.head())
    schema.check(empty)
    schema.downgrade(empty, "base")
    assert (schema.current(empty), tables(empty), triggers(empty)) == (None, set(), set())
    schema.upgrade(empty)
    schema.upgrade(empty)
    schema.check(empty)
    assert triggers(empty) == triggers_at(schema.head())


def test_every_step_down_keeps_the_rows_that_refer_to_others(sqlite):
    """SQLite rebuilds a table to take a column away, and would take along, or refuse for, what refers to it."""
    deps = make_deps(sqlite)
    opt_in(deps), assess(deps)

    def rows():
        with sqlite.connect() as connection:
            return [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in KEPT]

    before = rows()
    assert all(before)
    steps = [script.revision for script in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()]
    for step in steps[1:]:
        schema.downgrade(sqlite, step)
        assert (schema.current(sqlite), rows(), triggers(sqlite)) == (step, before, triggers_at(step))
    schema.upgrade(sqlite)
    assert triggers(sqlite) == triggers_at(schema.head())
    assert rows() == before
    with sqlite.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    with pytest.raises(CommandError, match="nonsense"):
        schema.downgrade(sqlite, "nonsense")


@pytest.mark.both_databases
def test_a_ledger_of_a_newer_release_is_worked_on_and_left_as_it_is(engine):
    """So that the old container works on during a redeploy, and the release before can be rolled back to."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_of_tomorrow'"))
    assert schema.at_head(engine)
    schema.upgrade(engine)
    assert schema.current(engine) == "9999_of_tomorrow"
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": schema.head()})


@pytest.mark.both_databases
def test_tables_that_differ_from_the_models_are_told(engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE emails ADD COLUMN by_hand TEXT"))
    with pytest.raises(CommandError, match="by_hand"):
        schema.check(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE emails DROP COLUMN by_hand"))


def test_a_ledger_that_cannot_be_reached_is_not_at_the_newest_migration(tmp_path):
    for url in (f"sqlite:///{tmp_path}/no/such/folder/f.db", "postgresql://nobody@127.0.0.1:1/none"):
        engine = open_engine(url)
        assert schema.at_head(engine) is False
        engine.dispose()


def test_there_is_one_head_and_every_revision_is_named_as_its_file():
    scripts = ScriptDirectory.from_config(schema._config())
    assert scripts.get_heads() == [schema.head()]
    revisions = {script.revision for script in scripts.walk_revisions()}
    assert revisions == {path.stem for path in VERSIONS.glob("*.py")}
    assert all(len(revision) <= 32 for revision in revisions), "alembic_version holds 32 characters"


def test_a_draft_is_made_from_what_the_models_have_more(sqlite, monkeypatch, tmp_path):
    (tmp_path / "versions").mkdir()
    for name in ("env.py", "script.py.mako"):
        (tmp_path / name).write_text((schema.MIGRATIONS / name).read_text())
    for path in VERSIONS.glob("*.py"):
        (tmp_path / "versions" / path.name).write_text(path.read_text())
    monkeypatch.setattr(schema, "MIGRATIONS", tmp_path)
    with sqlite.begin() as connection:
        connection.execute(text("DROP TABLE suppressions"))
    schema.make_revision(sqlite, "0002 add suppressions again", "0002_suppressions")
    draft = (tmp_path / "versions" / "0002_suppressions.py").read_text()
    assert "suppressions" in draft and "down_revision" in draft


def test_without_migrations_there_is_no_head(monkeypatch, tmp_path):
    (tmp_path / "versions").mkdir()
    monkeypatch.setattr(revision, "MIGRATIONS", tmp_path)
    with pytest.raises(LookupError, match="There are no migrations in"):
        schema.head()


def test_the_files_are_named_as_alembic_knows_them():
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    assert {script.revision for script in scripts.walk_revisions()} == revision.known()
    assert scripts.get_current_head() == revision.head()


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "index", ["ix_emails_planned", "ix_emails_unsettled", "ix_emails_unproven", "ix_requests_unsettled"]
)
def test_indexes_over_what_is_open_leave_the_history_out(engine, index):
    catalogue = {"sqlite": "SELECT sql FROM sqlite_master WHERE name = :n"}
    query = catalogue.get(engine.dialect.name, "SELECT indexdef FROM pg_indexes WHERE indexname = :n")
    with engine.connect() as connection:
        assert " WHERE " in connection.execute(text(query), {"n": index}).scalar_one()


def test_calls_that_were_told_of_before_are_taken_over_as_they_stand(sqlite):
    deps = make_deps(sqlite)
    told = [("E1", Event.BOOKING, 1), ("E1", Event.BOOKING_CANCELLED, 2), ("E2", Event.BOOKING, 1)]
    for occurrence, event, hours in [*told, ("E2", Event.BOOKING, 3), ("E3", Event.BOOKING_CANCELLED, 1)]:
        at = deps.now() + timedelta(hours=hours)
        enrol(deps, call(event=event, occurrence=occurrence, happened_at=at, call_at=at + timedelta(days=9)))

    def known():
        with deps.reads() as session:
            calls = bookings.of_contact(session, contacts.find(session, "ana@resend.dev").id)
        return {each.occurrence: (each.state, each.call_at, each.places) for each in calls}

    before = known()
    assert {name: state for name, (state, *_) in before.items()} == {
        "E1": "cancelled",
        "E2": "booked",
        "E3": "cancelled",
    }
    schema.downgrade(sqlite, "0013_add_put_aside")
    schema.upgrade(sqlite)
    assert known() == before


def test_reasons_of_before_get_the_codes_that_their_words_stood_for(sqlite):
    deps = make_deps(sqlite)
    assess(deps)
    words = ("sent by the website", "its step was taken out of the campaign's file (applied by olga)", "too late", None)
    with deps.sessions.begin() as session:
        for step, reason in enumerate(words, 1):
            session.query(Email).filter_by(step=step).update({"reason": reason})
        for number, error in enumerate(("refused: webhook: 404", "webhook: 503")):
            notices.add(session, f"notice-{number}", notices.ALERTS, "Words", deps.now())
            session.query(Notice).filter_by(key=f"notice-{number}").update({"last_error": error})
    schema.downgrade(sqlite, "0026_add_plans")
    schema.upgrade(sqlite)
    with deps.reads() as session:
        codes = session.scalars(select(Email.reason_code).order_by(Email.step)).all()
        told = session.execute(select(Notice.last_error, Notice.refused).order_by(Notice.key)).all()
    assert codes[:4] == [ReasonCode.SENT_BY_WEBSITE, ReasonCode.STEP_TAKEN_OUT, None, None]
    assert told == [("webhook: 404", True), ("webhook: 503", False)]
