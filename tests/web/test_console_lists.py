"""Lists in the console: only who is logged in brings one, by a form of ours, within the limit, and sees it come in."""

import io

from funnel_app.flows.lists import take_uploaded, uploads
from funnel_app.web.bounded_request import LARGEST_LIST
from tests.web.console import TOKEN

ROWS = b"Email,First Name,Status\nana@resend.dev,<b>Ana</b>,\nbo@resend.dev,Bo,Unsubscribed\n=cmd,x,\n"
WISH = {
    "column": ["email", "first_name", "status"],
    "sequence": "lead_nurture",
    "consent": "fair, 3 May 2026",
    "means": "",
}


def bring(olga, content=ROWS, name="list.csv"):
    token = TOKEN.search(olga.get("/console/lists").text)[1]
    form = {"csrf_token": token, "file": (io.BytesIO(content), name)}
    return olga.client.post("/console/lists", data=form, content_type="multipart/form-data")


def test_a_list_is_brought_looked_at_begun_and_seen_to_its_end(olga, deps):
    path = bring(olga).location
    shown = olga.get(path).text
    assert "3 rows" in shown and "&lt;b&gt;Ana" in shown and "over 2 days" in shown
    assert ">marked as spam</option>" in shown and ">complained<" not in shown
    foreseen = olga.send(path, verb="look", **WISH).text
    assert "1 enrolled" in foreseen and "row 4: refused" in foreseen
    assert "The first email goes to each as soon as the row is in." in foreseen
    olga.send(path, verb="start", **WISH)
    assert "waiting" in olga.get(path).text
    take_uploaded.take_waiting(deps)
    assert "1 not mailed" in olga.get(path).text
    assert olga.get(f"{path}.csv").text.splitlines()[1].startswith("2,ana@resend.dev,enrolled,")
    assert "list.csv" in olga.get("/console/lists").text
    assert "ana@resend.dev" not in olga.get("/console/hooks").text
    assert "ana@resend.dev" in olga.get("/console/hooks?outcome=came+with+a+list").text


def test_what_is_no_list_and_what_is_too_large_say_so(olga):
    assert "Excel workbook" in bring(olga, b"PK\x03\x04", "leads.csv").text
    assert "Choose a file" in bring(olga, b"", "").text
    form = {"data": b"x" * (LARGEST_LIST + 1), "content_type": "multipart/form-data; boundary=x"}
    assert olga.client.post("/console/lists", **form).status_code == 413


def test_a_stranger_and_a_form_of_elsewhere_bring_nothing(client, olga, deps):
    form = {"file": (io.BytesIO(ROWS), "list.csv")}
    assert client.post("/console/lists", data=form, content_type="multipart/form-data").status_code == 403
    olga.send("/console/logout", form="/console/lists")
    form = {"file": (io.BytesIO(ROWS), "list.csv")}
    assert client.post("/console/lists", data=form, content_type="multipart/form-data").status_code == 401
    assert uploads.list_imports(deps.reads) == []


def test_a_wish_that_cannot_be_is_answered_on_the_page(olga):
    path = bring(olga).location
    answer = olga.send(path, verb="start", **{**WISH, "consent": ""})
    assert answer.status_code == 409 and "agreed" in answer.text
    assert olga.send(path, verb="stop").status_code == 409
