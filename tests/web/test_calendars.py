"""Calendly and Cal.com: whatever they tell, in any order and however often, ends the same."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from funnel_app import create_app
from funnel_app.flows.compose import variables_of
from funnel_app.ledger import emails
from funnel_app.ledger.engine import open_engine
from funnel_app.ledger.models import Contact, Enrolment, HookEvent
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in
from tests.web.calendars import booking, calcom, calcom_event, calendly, calendly_event, missed
from tests.web.callers import signup


@pytest.fixture
def now(deps):
    return deps.now().timestamp()


def runs(deps) -> dict[tuple[str, str], str]:
    """Return the state of each sequence, by name and calendar event."""
    with deps.reads() as session:
        return {(e.sequence, e.occurrence): str(e.state) for e in session.scalars(select(Enrolment))}


class TestCalendly:
    """Calendly's four events."""

    def test_a_booking_ends_sequences_and_starts_reminders(self, client, deps, now):
        signup(client, assessment_score=38)
        answer = calendly(client, calendly_event("invitee.created"), at=now)
        assert (answer.status_code, answer.json["handler"]) == (202, "christmas-precall-prep-handler")
        assert [row["sequence"] for row in answer.json["ended"]] == ["five_day"]
        assert runs(deps) == {("five_day", ""): "exited", ("precall_prep", "E1"): "active"}
        with deps.reads() as session:
            ana = session.scalars(select(Contact)).one()
        assert (ana.first_name, ana.name, ana.timezone) == ("Ana", "Ana Roy", "America/Toronto")
        assert ana.properties["utm_source"] == "email" and ana.properties["answers"] == {"Goal?": "Growth"}

    def test_a_cancelled_booking_ends_only_its_own_reminders(self, client, deps, now):
        for event in ("E1", "E2"):
            calendly(client, calendly_event("invitee.created", event=event), at=now)
        answer = calendly(client, calendly_event("invitee.canceled"), at=now)
        assert answer.json["ended"] == [{"sequence": "precall_prep", "reason": "cancelled the call on 24 November"}]
        assert runs(deps) == {("precall_prep", "E1"): "exited", ("precall_prep", "E2"): "active"}

    def test_a_moved_call_takes_its_reminders_along(self, client, deps, now):
        calendly(client, calendly_event("invitee.created"), at=now)
        calendly(client, calendly_event("invitee.canceled", rescheduled=True), at=now)
        new = calendly(client, calendly_event("invitee.created", event="E2", at="2026-12-01T20:00:00Z"), at=now)
        assert new.json["emails"][0]["due_at"] == "2026-12-01T19:54:00Z"
        assert runs(deps) == {("precall_prep", "E1"): "exited", ("precall_prep", "E2"): "active"}

    def test_a_missed_call_starts_recovery_although_it_was_booked(self, client, deps, now):
        calendly(client, calendly_event("invitee.created"), at=now)
        answer = calendly(client, calendly_event("invitee_no_show.created", no_show={"uri": "N1"}), at=now)
        assert (answer.status_code, answer.json["handler"]) == (202, "christmas-noshow-recovery-handler")

    def test_an_unmarked_no_show_is_undone_if_nothing_went(self, client, deps, now):
        calendly(client, calendly_event("invitee_no_show.created"), at=now)
        answer = calendly(client, calendly_event("invitee_no_show.deleted", "2026-11-24T11:05:00Z"), at=now)
        assert [row["sequence"] for row in answer.json["ended"]] == ["noshow_recovery"]
        again = calendly(client, calendly_event("invitee_no_show.created", "2026-11-24T11:10:00Z"), at=now)
        assert again.status_code == 202, "marked again, it starts again"

    def test_an_unmarked_no_show_that_the_lead_has_read_of_goes_on(self, client, deps, now):
        answer = calendly(client, calendly_event("invitee_no_show.created"), at=now)
        with deps.sessions.begin() as session:
            first = emails.load(session, [UUID(answer.json["emails"][0]["id"])])[0]
            first.state = "delivered"
        answer = calendly(client, calendly_event("invitee_no_show.deleted", "2026-11-24T11:05:00Z"), at=now)
        assert answer.json["ended"] == [] and runs(deps) == {("noshow_recovery", "E1"): "active"}

    @pytest.mark.parametrize(
        ("signed", "status"),
        [({}, 202), ({"at": -24 * 3600}, 202), ({"at": -25 * 3600 - 1}, 401), ({"key": "another"}, 401)],
    )
    def test_only_its_own_signature_and_for_25_hours(self, client, now, signed, status):
        given_at = {"at": now + signed.get("at", 0), **({"key": signed["key"]} if "key" in signed else {})}
        assert calendly(client, calendly_event("invitee.created"), **given_at).status_code == status

    def test_without_a_key_the_door_is_not_there(self, sqlite, now):
        client = create_app(make_deps(sqlite, calendly_signing_keys=(), calcom_signing_keys=())).test_client()
        assert calendly(client, calendly_event("invitee.created"), at=now).status_code == 404
        assert calcom(client, calcom_event("PING", {})).status_code == 404

    def test_what_says_nothing_to_us_is_acknowledged(self, client, now):
        answer = calendly(client, calendly_event("routing_form_submission.created"), at=now)
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")

    @pytest.mark.parametrize(
        "broken",
        [{"email": "nobody"}, {"email": None}, {"scheduled_event": None}, {"scheduled_event": {}}, {"event": None}],
    )
    def test_a_broken_event_is_named_and_kept(self, client, deps, now, broken):
        body = calendly_event("invitee.created")
        body["payload"].update(broken)
        answer = calendly(client, body, at=now)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["payload"])
        assert list(answer.json["errors"]["payload"]) == list(broken)
        with deps.reads() as session:
            assert session.scalars(select(HookEvent.outcome)).all() == ["refused"]

    @pytest.mark.parametrize(
        ("name", "first"),
        [
            ("Ana Roy", "Ana"), ("Roy, Ana", "Ana"), ("Dr. Ana Roy", "Ana"), ("ana", "ana"), ("李小龍", "李小龍"),
            ("https://evil.example", None), ("x" * 500, None), (None, None), (7, None), ("  ", None),
            ("ana@resend.dev", None), ("Ana\nBcc: x", "Ana"), ("Mrs Ana-María del Valle", "Ana-María"),
        ],
    )  # fmt: skip
    def test_names_split_sensibly_and_a_bad_one_never_costs_a_booking(self, client, deps, now, name, first):
        assert calendly(client, calendly_event("invitee.created", name=name), at=now).status_code == 202
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == first

    @pytest.mark.parametrize(
        "odd", [{"timezone": "Mars/Olympus"}, {"timezone": 7}, {"tracking": None}, {"tracking": {}}]
    )
    def test_what_we_can_do_without_never_costs_a_booking(self, client, now, odd):
        assert calendly(client, calendly_event("invitee.created", **odd), at=now).status_code == 202


class TestCalcom:
    """Cal.com's events."""

    def test_its_story_from_booking_to_no_show(self, client, deps):
        assert calcom(client, calcom_event("BOOKING_CREATED", booking())).status_code == 202
        moved = calcom_event("BOOKING_RESCHEDULED", booking("bk_2", "2026-12-01T20:00:00Z", rescheduleUid="bk_1"))
        answer = calcom(client, moved)
        assert answer.json["ended"] == [{"sequence": "precall_prep", "reason": "moved the call on 24 November"}]
        assert runs(deps) == {("precall_prep", "bk_1"): "exited", ("precall_prep", "bk_2"): "active"}
        answer = calcom(client, calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_2")))
        assert answer.json["handler"] == "christmas-noshow-recovery-handler"
        with deps.reads() as session:
            missed_call = session.scalars(select(Enrolment).where(Enrolment.sequence == "noshow_recovery")).one()
        assert missed_call.call_at == datetime(2026, 12, 1, 20, tzinfo=UTC)
        undone = calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_2", no_show=False), "2026-11-24T11:30:00Z")
        assert calcom(client, undone).json["ended"][0]["sequence"] == "noshow_recovery"
        calcom(client, calcom_event("BOOKING_CANCELLED", booking("bk_2", "2026-12-01T20:00:00Z")))
        assert set(runs(deps).values()) == {"exited"}

    def test_the_older_envelope_and_path_are_taken(self, client, deps):
        answer = calcom(client, {"payload": {"booking": booking()}}, path="/webhook/calcom-booking")
        assert answer.status_code == 202 and runs(deps) == {("precall_prep", "bk_1"): "active"}

    def test_a_ping_is_answered(self, client):
        answer = calcom(client, calcom_event("PING", {}))
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")

    @pytest.mark.parametrize("key", ["another", ""])
    def test_only_its_own_signature(self, client, key):
        assert calcom(client, calcom_event("PING", {}), key=key).status_code == 401
        assert client.post("/webhook/christmas/calcom", json={}).status_code == 401

    @pytest.mark.parametrize(
        "payload", [{}, {"uid": "x"}, booking(attendees=[]), booking(startTime="soon"), {"booking": {"uid": "x"}}]
    )
    def test_a_broken_event_is_named(self, client, payload):
        answer = calcom(client, calcom_event("BOOKING_CREATED", payload))
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["payload"])


def test_bookings_count_and_cancellations_subtract_in_any_order(sqlite):
    deps = make_deps(sqlite, testing_mode=False)
    client = create_app(deps).test_client()
    first = email_ids(opt_in(deps, "bea@resend.dev"))[0]

    def counted():
        with deps.reads() as session:
            found = variables_of(deps, emails.load(session, [first])[0])
        return found["bookings_count"], found["spots_remaining"]

    assert counted() == (18, 12)
    at = deps.now().timestamp()
    for _ in range(3):
        calendly(client, calendly_event("invitee.created"), at=at)
    assert counted() == (19, 11)
    calendly(client, calendly_event("invitee.canceled", event="E2"), at=at)
    calendly(client, calendly_event("invitee.created", event="E2"), at=at)
    assert counted() == (19, 11)
    calendly(client, calendly_event("invitee.canceled", rescheduled=True), at=at)
    assert counted() == (18, 12)


STORY = [
    calendly_event("invitee.created", "2026-11-24T08:00:00Z", event="E1", at="2026-11-25T20:00:00Z"),
    calendly_event("invitee.canceled", "2026-11-24T09:00:00Z", event="E1", at="2026-11-25T20:00:00Z", rescheduled=True),
    calendly_event("invitee.created", "2026-11-24T09:00:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.created", "2026-11-24T10:00:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.deleted", "2026-11-24T10:05:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.created", "2026-11-24T10:10:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee.created", "2026-11-24T11:00:00Z", event="E3", at="2026-12-01T20:00:00Z"),
]


def outcome(migrated: bytes, folder, story) -> set[tuple[str, str, int, datetime]]:
    """Play a story and return every email that is still to go."""
    path = folder / "story.db"
    path.write_bytes(migrated)
    engine = open_engine(f"sqlite:///{path}")
    deps = make_deps(engine)
    client = create_app(deps).test_client()
    for event in story:
        assert calendly(client, event, at=deps.now().timestamp()).status_code in {200, 202}
    with deps.reads() as session:
        rows = session.scalars(select(Enrolment).options(selectinload(Enrolment.emails))).all()
        left = {(e.sequence, e.occurrence, m.step, m.due_at) for e in rows for m in e.emails if m.state == "planned"}
    engine.dispose()
    for leftover in folder.glob("story.db*"):
        leftover.unlink()
    return left


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.permutations(STORY), repeated=st.lists(st.sampled_from(STORY), max_size=4))
def test_any_order_and_repetition_ends_the_same(migrated_sqlite, tmp_path, story, repeated):
    migrated = migrated_sqlite.read_bytes()
    expected = {("precall_prep", "E2"), ("precall_prep", "E3")}
    left = outcome(migrated, tmp_path, [*story, *repeated])
    assert left == outcome(migrated, tmp_path, STORY)
    assert {(sequence, occurrence) for sequence, occurrence, *_ in left} == expected
