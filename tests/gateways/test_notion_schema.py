"""The schema's file is whole, names may differ, and values come back as they were written."""

from datetime import UTC, datetime

import pytest

from funnel_app.config import ConfigError
from funnel_app.deps import build_deps
from funnel_app.gateways.notion.pages import TemplateNames
from funnel_app.gateways.notion.schema import SchemaError, Writes, load_schema
from funnel_app.gateways.notion.values import decoded, encoded, for_type, row_time
from tests.factories import make_settings

ISSUE = {
    "contacts": "name email business segment phase score red orange yellow green weakest leak signed_up booking call "
    "suppressed start do_not_mail answer",
    "sequences": "name email campaign sequence segment status next_email next_at email_1_sent email_2_sent "
    "email_3_sent email_4_sent email_5_sent delivered problem completed email_1_by wish answer",
    "templates": "title subject body status",
}


def test_the_schema_has_every_property_that_the_owner_was_promised():
    assert {key: " ".join(table.properties) for key, table in load_schema().items()} == ISSUE


def test_each_table_has_one_title_and_can_be_made():
    for table in load_schema().values():
        assert [prop.type for prop in table.properties.values()].count("title") == 1
        assert all(len(prop.as_notion()) == 1 for prop in table.properties.values())


def test_people_own_names_and_the_day_of_their_signup():
    once = [prop.key for prop in load_schema()["contacts"].properties.values() if prop.writes is Writes.ONCE]
    assert once == ["name", "business", "signed_up"]


def test_a_property_may_be_called_otherwise():
    renamed = load_schema({"contacts.name": "Client", "sequences.email": "E-mail"})
    assert renamed["contacts"].properties["name"].name == "Client"
    assert renamed["sequences"].properties["email"].name == "E-mail"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"contacts.nme": "Client"}, "there is no contacts.nme; there are templates.title"),
        ({"people.name": "Client"}, "there is no people.name"),
        ({"contacts.name": "Email"}, "two properties of contacts have the same name"),
    ],
)
def test_a_name_for_nothing_stops_the_start(names, words):
    with pytest.raises(SchemaError, match=words):
        load_schema(names)
    with pytest.raises(ConfigError, match=words):
        build_deps(make_settings(notion_property_names=names))


def test_a_process_is_built_with_the_names_and_databases_of_its_settings():
    deps = build_deps(make_settings(notion_property_names={"templates.title": "Name"}, notion_contacts_db_id="db-2"))
    assert deps.notebook._names == TemplateNames(title="Name")
    assert [table.database_id for table in deps.desk.tables] == [deps.settings.notion_templates_db_id, "db-2"]
    assert deps.desk.mirrors and deps.desk.sequences is None
    deps.queues.close()
    deps.engine.dispose()


VALUES = [
    ("title", "Ana", "Ana"),
    ("rich_text", " Ana  ", "Ana"),
    ("rich_text", "x" * 3000, "x" * 2000),
    ("select", "Ended: a, b", "Ended: a; b"),
    ("select", "x" * 120, "x" * 100),
    ("email", "ana@resend.dev", "ana@resend.dev"),
    ("number", 38.0, 38.0),
    ("checkbox", True, True),
    ("checkbox", "2026-11-24T12:00Z", True),
    ("date", "2026-11-24T12:00Z", "2026-11-24T12:00Z"),
    ("date", "2026-11-24", "2026-11-24"),
]
EMPTY = [("title", None), ("rich_text", ""), ("rich_text", " "), ("select", None), ("number", None), ("date", None)]


@pytest.mark.parametrize(("kind", "value", "back"), VALUES)
def test_what_is_written_comes_back_as_it_is_remembered(kind, value, back):
    assert for_type(kind, value) == back
    assert decoded({"type": kind, **encoded(kind, value)}) == back


@pytest.mark.parametrize(("kind", "value"), EMPTY)
def test_what_is_empty_is_cleared(kind, value):
    assert for_type(kind, value) is None
    assert encoded(kind, value) == {kind: [] if kind in {"title", "rich_text"} else None}
    assert decoded({"type": kind, **encoded(kind, value)}) is None


def test_times_are_compared_to_the_minute_wherever_they_were_written():
    assert decoded({"type": "date", "date": {"start": "2026-11-24T07:00:30.000-05:00"}}) == "2026-11-24T12:00Z"
    assert row_time(datetime(2026, 11, 24, 12, 0, 59, tzinfo=UTC)) == "2026-11-24T12:00Z"
    assert decoded({"type": "date", "date": {"start": "soon"}}) == "soon"


def test_other_types_are_read_as_far_as_they_say_something():
    assert decoded({"type": "multi_select", "multi_select": [{"name": "a"}, {"name": "b"}]}) == "a; b"
    assert decoded({"type": "formula", "formula": {"type": "number", "number": 7}}) == 7
    assert decoded({"type": "people", "people": [{"id": "u"}]}) is None
    assert decoded({"type": "status", "status": {"name": "Done"}}) == "Done"
