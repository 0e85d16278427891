"""Who may look through the window: login, throttle, session, token, and headers."""

import re
from datetime import timedelta
from io import BytesIO

import pytest

from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import opt_in
from tests.web.console import Operator, did

NOBODY = "0192a000-0000-7000-8000-000000000001"
PAGES = ["", "leads", "sequences", "templates", "figures", "hooks", "enrol", "templates/christmas_email_1"]


@pytest.fixture
def stranger(client) -> Operator:
    return Operator(client)


def test_a_stranger_is_sent_to_the_login_and_then_on_to_the_page(stranger):
    for page in (*PAGES, "rq/", "nowhere", "rq/0/data/queues.json"):
        answer = stranger.get(f"/console/{page}")
        assert (answer.status_code, answer.location) == (303, f"/console/login?next=/console/{page}")


def test_who_gives_a_name_and_the_password_comes_in(stranger, deps):
    answer = stranger.log_in(next="/console/leads?state=paused")
    assert (answer.status_code, answer.location) == (303, "/console/leads?state=paused")
    assert "Olga" in stranger.get("/console/").text
    assert stranger.get("/console/login").status_code == 303, "who is in is not asked again"


@pytest.mark.parametrize(("name", "password"), [("Olga", "wrong"), ("Olga", ""), ("  ", "console")])
def test_a_wrong_password_or_no_name_stays_outside(stranger, name, password):
    answer = stranger.log_in(name, password)
    assert answer.status_code == 403 and "not the password" in answer.text
    assert stranger.get("/console/").status_code == 303


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example", "/console//evil.example", "/healthz", ""])
def test_the_login_leads_nowhere_but_into_the_console(stranger, goal):
    assert stranger.log_in(next=goal).location == "/console/"


def test_tries_are_throttled_right_or_wrong(stranger):
    answers = [stranger.log_in("Olga", "wrong").status_code for _ in range(11)]
    assert answers == [403] * 10 + [429]
    late = stranger.log_in()
    assert late.status_code == 429 and 1 <= int(late.headers["Retry-After"]) <= 60


def test_after_12_hours_one_must_log_in_again(olga, deps):
    deps.now.forward(hours=11.9)
    assert olga.get("/console/").status_code == 200
    deps.now.forward(minutes=7)
    assert olga.get("/console/").status_code == 303


def test_a_changed_password_logs_everybody_out(olga, sqlite):
    cookie = olga.client.get_cookie("funnel_console", path="/console/")
    changed = application(make_deps(sqlite, console_password="another")).test_client()
    changed.set_cookie("funnel_console", cookie.value, path="/console/", secure=True)
    assert changed.get("/console/", base_url="https://localhost").status_code == 303


def test_a_forged_cookie_opens_nothing(client):
    client.set_cookie("funnel_console", "eyJvcGVyYXRvciI6Ik9sZ2EifQ.aaaa.bbbb", path="/console/")
    assert client.get("/console/").status_code == 303


def test_the_cookie_is_kept_to_the_console_to_https_and_to_this_site(stranger):
    cookie = stranger.log_in().headers["Set-Cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/console/"):
        assert word in cookie
    assert re.search(r"Expires=|Max-Age=", cookie)


def test_at_home_the_cookie_works_without_https(sqlite):
    client = application(make_deps(sqlite, public_url="http://127.0.0.1:8000")).test_client()
    assert "Secure" not in Operator(client).log_in().headers["Set-Cookie"]


def test_logging_out_closes_the_console_for_a_copy_of_its_cookie_too(olga, app, deps):
    copied = app.test_client()
    copied.set_cookie(
        "funnel_console", olga.client.get_cookie("funnel_console", path="/console/").value, path="/console/"
    )
    other = Operator(app.test_client())
    other.log_in("Otto")
    assert copied.get("/console/").status_code == 200
    assert olga.send("/console/logout", form="/console/").status_code == 303
    assert [who.get("/console/").status_code for who in (olga, copied, other)] == [303, 303, 200]
    assert olga.log_in().status_code == 303 and olga.get("/console/").status_code == 200


def from_address(client, address):
    client.environ_base["REMOTE_ADDR"] = address
    return Operator(client)


def test_a_strangers_wrong_tries_lock_out_neither_a_known_browser_nor_another_address(app):
    olga = from_address(app.test_client(), "203.0.113.7")
    assert olga.log_in().status_code == 303
    olga.send("/console/logout", form="/console/")
    stranger = from_address(app.test_client(), "203.0.113.7")
    assert [stranger.log_in("x", "wrong").status_code for _ in range(11)][-1] == 429
    assert olga.log_in().status_code == 303, "the same address, and a browser that was here before"
    assert from_address(app.test_client(), "203.0.113.8").log_in().status_code == 303
    stranger.client.set_cookie("funnel_device", "ImFueSI.forged", path="/console/login")
    assert stranger.log_in().status_code == 429, "nobody makes such a sign but us"


def test_a_known_browser_has_a_count_too(olga):
    olga.send("/console/logout", form="/console/")
    assert [olga.log_in("x", "wrong").status_code for _ in range(11)] == [403] * 10 + [429]


@pytest.mark.parametrize("last", ["2001:db8:1:2:{0}::1", "2001:db8:1:2::{0}", "::ffff:203.0.113.7"])
def test_one_household_has_one_count_whatever_its_addresses(app, last):
    tries = [from_address(app.test_client(), last.format(n)).log_in("x", "wrong").status_code for n in range(1, 12)]
    assert tries == [403] * 10 + [429]


def test_one_site_has_a_count_beyond_its_households(app, olga):
    """Who rents a server has 65,536 networks of the size of a household."""
    tries = [from_address(app.test_client(), f"2001:db8:1:{n}::1").log_in("x", "wrong").status_code for n in range(31)]
    assert tries == [403] * 30 + [429]
    assert from_address(app.test_client(), "2001:db8:2::1").log_in().status_code == 303, "another site"
    olga.send("/console/logout", form="/console/")
    olga.client.environ_base["REMOTE_ADDR"] = "2001:db8:1:99::1"
    assert olga.log_in().status_code == 303, "a browser that is known, from there"


def test_a_character_that_no_text_has_is_refused_in_words_wherever_it_stands(olga, deps):
    bad = "An\0a"
    assert "a NUL" in olga.get("/console/leads", query_string={"words": bad}).text
    file = (BytesIO(b"Email\nana@resend.dev\n"), f"{bad}.csv")
    for sent in (
        olga.get("/console/simulate", query_string={"sequence": "five_day", "lead": bad}),
        olga.send("/console/lists", file=file),
        olga.send("/console/enrol", email=bad),
        olga.send("/console/login", form="/console/enrol", name=bad, password="console"),
    ):
        assert sent.status_code == 422
    assert did(deps) == []


def test_nothing_changes_without_the_token(olga, deps):
    receipt = opt_in(deps)
    path = f"/console/do/pause/{receipt.enrolment_id}"
    for data in ({}, {"csrf_token": "x"}):
        assert olga.client.post(path, data=data).status_code == 403
    assert "active" in olga.get(f"/console/leads/{receipt.contact_id}").text


def test_every_change_without_a_login_is_refused_and_is_a_post(app, client):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/console/") and "POST" in rule.methods and rule.endpoint != "console.try_login":
            path = re.sub(r"<uuid:\w+>", NOBODY, rule.rule)
            assert client.post(re.sub(r"<[^>]+>", "1", path)).status_code == 401, rule.rule


def test_pages_hold_no_script_and_no_style_of_their_own_and_each_form_the_token(olga, deps):
    opt_in(deps)
    for page in PAGES:
        answer = olga.get(f"/console/{page}")
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy, page
        assert answer.headers["Cache-Control"] == "no-store", page
        html = answer.text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", html), page
        assert "http" not in re.sub(r"https://(www\.notion\.so|\S*businessx\S*|\S*example\S*)|http-equiv", "", html), (
            page
        )
        forms = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
        assert forms, "at least the one that logs out"
        assert all("csrf_token" in form for form in forms), page


def test_htmx_is_told_to_go_to_the_login_by_itself(stranger):
    answer = stranger.get("/console/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/console/login")


@pytest.mark.parametrize("name", ["console.css", "rq.css", "htmx.min.js", "favicon.svg", "favicon.ico"])
def test_the_files_of_the_pages_are_served_to_all(client, name):
    with client.get(f"/console/static/{name}") as answer:
        assert answer.status_code == 200 and len(answer.data) > 100
        assert "max-age" in answer.headers["Cache-Control"]


def test_no_other_file_is_served(client):
    assert client.get("/console/static/frame.html").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"leads/{NOBODY}",
        "nowhere",
        "templates/nothing",
        f"emails/{NOBODY}",
        f"emails/{NOBODY}/html",
        "figures/x.csv",
        f"hooks/{NOBODY}",
        f"do/pause/{NOBODY}",
        f"do/skip_step/{NOBODY}",
        f"do/suppress/{NOBODY}",
        f"do/x/{NOBODY}",
    ],
)
def test_what_is_not_there_is_said_on_a_page(olga, path):
    answer = olga.get(f"/console/{path}")
    assert answer.status_code == 404 and "<h1>" in answer.text


def test_a_long_absence_is_measured_from_the_login(olga, deps):
    deps.now.forward(hours=6)
    olga.get("/console/leads")
    deps.now.at += timedelta(hours=6)
    assert olga.get("/console/").status_code == 303, "looking does not lengthen it"
