"""Calendly and Cal.com: who may tell, what each event does, and that nothing odd in one costs a booking."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
import structlog
from sqlalchemy import select

from funnel_app.flows.sending.deliver import deliver
from funnel_app.ledger import emails, hook_events
from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent
from funnel_app.web.bounded_request import HEAD_KEPT, LARGEST_OF_CALENDARS, READ_OF_CALENDARS
from sandbox.signing import calendly_headers
from tests.apps import application
from tests.factories import CALENDLY_KEY, make_deps
from tests.flows.leads import opt_in, write_templates
from tests.web.calendars import CALENDLY, booking, calcom, calcom_event, calendly, calendly_event, missed
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
        [
            ({}, 202),
            ({"at": -24 * 3600}, 202),
            ({"at": -25 * 3600 - 1}, 401),
            ({"key": "another"}, 401),
            ({"at": 299}, 202),
            ({"at": 301}, 401),
        ],
    )
    def test_only_its_own_signature_and_for_25_hours(self, client, now, signed, status):
        given_at = {"at": now + signed.get("at", 0), **({"key": signed["key"]} if "key" in signed else {})}
        assert calendly(client, calendly_event("invitee.created"), **given_at).status_code == status

    @pytest.mark.parametrize(("ago", "told"), [(179, []), (181, [181]), (24 * 3600, [86400])])
    def test_an_old_signature_is_told_in_the_log(self, client, now, ago, told):
        with structlog.testing.capture_logs() as lines:
            assert calendly(client, calendly_event("invitee.created"), at=now - ago).status_code == 202
        assert [line["seconds"] for line in lines if line["event"] == "calendly_signature_is_old"] == told

    def test_the_signature_is_over_the_bytes_that_came(self, client, deps, now):
        raw = json.dumps(calendly_event("invitee.created"), indent=3).encode()
        for body, status in ((raw, 202), (raw + b" ", 401)):
            headers = calendly_headers(CALENDLY_KEY, int(now), raw)
            answer = client.post(CALENDLY, data=body, headers=headers, content_type="application/json")
            assert answer.status_code == status

    def test_while_a_key_is_rotated_both_are_good(self, sqlite, now):
        keys = {"calendly_signing_keys": ("new", "old"), "calcom_signing_keys": ("new", "old")}
        client = application(make_deps(sqlite, **keys)).test_client()
        for key, status in (("new", 202), ("old", 202), ("older", 401)):
            body = calendly_event("invitee.created", event=f"E-{key}")
            assert calendly(client, body, key=key, at=now).status_code == status
            assert calcom(client, calcom_event("BOOKING_CREATED", booking(f"b-{key}")), key=key).status_code == status

    def test_without_a_key_the_door_is_not_there(self, sqlite, now):
        client = application(make_deps(sqlite, calendly_signing_keys=(), calcom_signing_keys=())).test_client()
        assert calendly(client, calendly_event("invitee.created"), at=now).status_code == 404
        assert calcom(client, calcom_event("PING", {})).status_code == 404

    def test_what_says_nothing_to_us_is_acknowledged(self, client, now):
        answer = calendly(client, calendly_event("routing_form_submission.created"), at=now)
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")

    @pytest.mark.parametrize(
        ("broken", "field"),
        [
            ({"email": "nobody"}, "payload.email"),
            ({"email": None}, "payload.email"),
            ({"scheduled_event": None}, "payload.scheduled_event.start_time"),
            ({"scheduled_event": {"start_time": "2099-01-01T00:00:00Z"}}, "payload.scheduled_event.start_time"),
            ({"event": None, "uri": None, "scheduled_event": {"start_time": "2026-12-01T20:00:00Z"}}, "payload.event"),
        ],
    )
    def test_an_event_that_cannot_be_used_is_kept_and_answered_so_that_it_goes_on_to_call(
        self, client, deps, now, broken, field
    ):
        body = calendly_event("invitee.created")
        body["payload"].update(broken)
        answer = calendly(client, body, at=now)
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")
        with deps.reads() as session:
            (kept,) = session.scalars(select(HookEvent)).all()
        assert (kept.outcome, list(kept.errors), answer.json["hook_id"]) == ("refused", [field], str(kept.id))
        assert field in answer.json["reason"] and kept.payload == body
        runner = client.application.test_cli_runner()
        fix = {"payload.email": "ana@resend.dev", "payload.event": "E1"}.get(field, "2026-12-01T20:00:00Z")
        done = runner.invoke(args=["hooks", "replay", str(kept.id), "--set", f"{field}={fix}"])
        assert done.exit_code == 0 and "accepted: 3 emails" in done.output

    @pytest.mark.parametrize("raw", [b"", b"[1]", b"{", b"[" * 600, b'{"event": 7}', b"\xff"])
    def test_a_body_that_says_nothing_is_kept_and_answered_too(self, client, deps, now, raw):
        headers = calendly_headers(CALENDLY_KEY, int(now), raw)
        answer = client.post(CALENDLY, data=raw, headers=headers, content_type="application/json")
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")
        with deps.reads() as session:
            assert session.scalars(select(HookEvent.outcome)).all() == ["refused"]

    def test_a_campaign_that_is_not_there_yet_is_no_refusal_either(self, client, deps, now):
        answer = calendly(client, calendly_event("invitee.created"), at=now, path="/webhook/easter/calendly")
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")
        assert "no campaign 'easter'" in answer.json["reason"]

    @pytest.mark.parametrize("without", [("event",), ("event", "uri"), ("uri",)])
    def test_the_call_is_known_by_any_of_its_names(self, client, deps, now, without):
        body = calendly_event("invitee.created")
        for name in without:
            del body["payload"][name]
        assert calendly(client, body, at=now).status_code == 202 and runs(deps) == {("precall_prep", "E1"): "active"}

    def test_a_cancellation_needs_no_time(self, client, deps, now):
        calendly(client, calendly_event("invitee.created"), at=now)
        body = calendly_event("invitee.canceled")
        del body["payload"]["scheduled_event"]
        assert [row["sequence"] for row in calendly(client, body, at=now).json["ended"]] == ["precall_prep"]

    @pytest.mark.parametrize(
        ("name", "first"),
        [
            ("Dr. Ana Roy", "Ana"), ("Ana\nBcc: x", "Ana"), (7, None), ("Win at casino-pills.ca", None),
            ("+1 416 555 0100", None), ("x" * 60_000, None),
        ],
    )  # fmt: skip
    def test_names_split_sensibly_and_a_bad_one_never_costs_a_booking(self, client, deps, now, name, first):
        assert calendly(client, calendly_event("invitee.created", name=name), at=now).status_code == 202
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == first

    def test_a_guess_never_replaces_what_the_person_typed(self, client, deps, now):
        opt_in(deps)
        calendly(client, calendly_event("invitee.created", name="Roy MBA"), at=now)
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == "Ana"

    def test_of_two_guesses_the_first_stays_until_somebody_types_one(self, client, deps, now):
        for event, name in (("E1", "Ana Roy"), ("E2", "Annabel Roy")):
            calendly(client, calendly_event("invitee.created", event=event, name=name), at=now)
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == "Ana"
        calendly(client, calendly_event("invitee.created", event="E3", first_name="Annie"), at=now)
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == "Annie"

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

    def test_time_zone_utm_and_answers_are_kept(self, client, deps):
        responses = {
            "name": {"label": "your_name", "value": "Ana"},
            "goal": {"label": "Goal?", "value": "Growth"},
            "left_out": {"label": "Else?", "value": ""},
            "odd": "text",
        }
        told = booking(responses=responses, metadata={"utm_source": "email", "videoCallUrl": "x"})
        assert calcom(client, calcom_event("BOOKING_CREATED", told)).status_code == 202
        with deps.reads() as session:
            ana = session.scalars(select(Contact)).one()
        assert ana.timezone == "America/Toronto"
        assert ana.properties == {"utm_source": "email", "answers": {"Goal?": "Growth"}}

    @pytest.mark.parametrize("odd", [{"responses": [1]}, {"metadata": "x"}, {"responses": None, "metadata": None}])
    def test_what_we_can_do_without_never_costs_a_booking(self, client, odd):
        assert calcom(client, calcom_event("BOOKING_CREATED", booking(**odd))).status_code == 202

    def test_the_older_envelope_and_path_are_taken(self, client, deps):
        answer = calcom(client, {"payload": {"booking": booking()}}, path="/webhook/calcom-booking")
        assert answer.status_code == 202 and runs(deps) == {("precall_prep", "bk_1"): "active"}

    def test_an_older_booking_may_be_known_by_its_number(self, client, deps):
        older = booking(id=7)
        del older["uid"]
        assert calcom(client, {"payload": {"booking": older}}, path="/webhook/calcom-booking").status_code == 202
        assert runs(deps) == {("precall_prep", "7"): "active"}

    @pytest.mark.parametrize("body", [calcom_event("PING", {}), {"triggerEvent": "MEETING_ENDED", "uid": "bk_1"}])
    def test_what_says_nothing_to_us_is_answered_whatever_its_form(self, client, body):
        answer = calcom(client, body)
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")

    @pytest.mark.parametrize("key", ["another", ""])
    def test_only_its_own_signature(self, client, key):
        assert calcom(client, calcom_event("PING", {}), key=key).status_code == 401
        assert client.post("/webhook/christmas/calcom", json={}).status_code == 401

    @pytest.mark.parametrize(
        "payload",
        [
            {}, {"uid": "x"}, booking(attendees=[]), booking(startTime="soon"), {"booking": {"uid": "x"}},
            booking(startTime="2099-01-01T00:00:00Z"), booking(attendees=[{"email": "nobody"}]),
        ],
    )  # fmt: skip
    def test_an_event_that_cannot_be_used_is_kept_and_answered(self, client, deps, payload):
        answer = calcom(client, calcom_event("BOOKING_CREATED", payload))
        assert (answer.status_code, answer.json["status"]) == (200, "ignored")
        assert answer.json["reason"].startswith("Kept as refused, for a replay. payload.")
        with deps.reads() as session:
            assert session.scalars(select(HookEvent.outcome)).all() == ["refused"]

    @pytest.mark.parametrize(
        "guest",
        [
            {"email": "room@office.local"}, {"email": "abc..def@docomo.ne.jp"}, None, "null", {"name": "No Address"},
            {"email": None}, {"email": "x" * 60_000},
        ],
    )  # fmt: skip
    def test_a_guest_who_cannot_be_used_costs_nothing(self, client, deps, guest):
        told = booking()
        told["attendees"].append(guest)
        assert calcom(client, calcom_event("BOOKING_CREATED", told)).status_code == 202
        with deps.reads() as session:
            assert session.scalars(select(Contact.email_norm)).all() == ["ana@resend.dev"]

    def test_400_attendees_are_taken(self, client, deps):
        told = booking()
        told["attendees"] += [{"email": f"g{n}@guests.example", "name": "Guest " * 30} for n in range(400)]
        assert calcom(client, calcom_event("BOOKING_CREATED", told)).status_code == 202

    def test_who_has_only_a_telephone_counts_and_is_not_mailed(self, client, deps):
        told = booking(attendees=[{"email": "34123121212@sms.cal.com", "name": "Bo Roy", "timeZone": "Europe/Madrid"}])
        assert calcom(client, calcom_event("BOOKING_CREATED", told)).json["status"] == "accepted"
        write_templates(deps)
        deps.now.forward(days=3)
        with deps.reads() as session:
            ids = list(session.scalars(select(Email.id).order_by(Email.step)))
        deliver(deps, ids[:1])
        with deps.reads() as session:
            first = emails.load(session, ids[:1])[0]
        assert (first.state, first.reason) == ("skipped", "this address was made up for somebody who gave none")


def of_size(size: int) -> dict:
    return calcom_event("BOOKING_CREATED", booking(description="x" * size))


def test_a_signed_event_of_a_thousand_guests_is_taken(client):
    guest = {"name": "Guest", "timeZone": "America/Toronto"}
    guests = [{"email": f"guest{n}@example.com", **guest} for n in range(4000)]
    people = [{"email": "ana@resend.dev"}, *guests]
    assert calcom(client, calcom_event("BOOKING_CREATED", booking(attendees=people))).status_code == 202


def test_a_signed_event_that_is_too_large_is_kept_by_its_head_and_never_refused(client, deps):
    answer = calcom(client, of_size(LARGEST_OF_CALENDARS))
    assert (answer.status_code, answer.json["status"]) == (200, "ignored")
    with deps.reads() as session:
        kept = hook_events.find(session, UUID(answer.json["hook_id"]))
    assert kept.outcome == "refused" and kept.payload["bytes"] > LARGEST_OF_CALENDARS
    assert len(kept.payload["head"]) == HEAD_KEPT and "BOOKING_CREATED" in kept.payload["head"]


def test_what_nobody_can_prove_is_refused_and_not_kept(client, deps):
    assert calcom(client, of_size(LARGEST_OF_CALENDARS), key="another key of theirs").status_code == 401
    assert calcom(client, of_size(READ_OF_CALENDARS)).status_code == 413
    with deps.reads() as session:
        assert hook_events.newest(session, None, 5) == []
