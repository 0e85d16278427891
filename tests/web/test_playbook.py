"""The playbook comes with what browsers and proxies need, and only that one file lies open."""

import os
from urllib.parse import urlsplit

import pytest

from assets.playbook.build import PDF
from funnel_app.flows.templates.compose import gather, variables_of
from funnel_app.ledger import emails
from funnel_app.web import playbook
from funnel_app.web.middleware import HEADERS
from tests.flows.leads import email_ids, opt_in

PATH = "/assets/christmas-surge-playbook.pdf"


def test_it_comes_whole_with_its_name_length_and_a_day_to_keep_it(client):
    answer = client.get(PATH)
    assert answer.status_code == 200 and answer.data == PDF.read_bytes()
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["Content-Disposition"] == "inline; filename=christmas-surge-playbook.pdf"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.headers["Accept-Ranges"] == "bytes" and answer.last_modified


def test_the_security_headers_are_there_as_on_every_page(client):
    answer = client.get(PATH)
    for name in set(HEADERS) - {"Cache-Control"}:
        assert answer.headers[name] == HEADERS[name]


def test_head_says_the_same_without_the_file(client):
    answer, whole = client.head(PATH), client.get(PATH)
    assert answer.data == b"" and answer.headers["Content-Length"] == whole.headers["Content-Length"]
    assert answer.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize(("asked", "told"), [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")])
def test_whoever_has_it_already_is_told_so(client, asked, told):
    answer = client.get(PATH, headers={asked: client.get(PATH).headers[told]})
    assert answer.status_code == 304 and answer.data == b""


def test_the_etag_is_that_of_the_content_and_not_of_the_file_time(client, tmp_path, monkeypatch):
    before = client.get(PATH).headers["ETag"]
    copied = tmp_path / PDF.name
    copied.write_bytes(PDF.read_bytes())
    os.utime(copied, (1, 1))
    monkeypatch.setattr(playbook, "PDF", copied)
    assert client.get(PATH).headers["ETag"] == before
    copied.write_bytes(b"%PDF-1.7 another")
    os.utime(copied, (2, 2))
    assert client.get(PATH).headers["ETag"] != before


@pytest.mark.parametrize(("asked", "first", "last"), [("bytes=0-99", 0, 99), ("bytes=-50", -50, -1)])
def test_a_part_is_sent_where_a_part_is_asked_for(client, asked, first, last):
    whole = PDF.read_bytes()
    answer = client.get(PATH, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.data == (whole[first:] if last == -1 else whole[first : last + 1])
    assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")


def test_a_part_that_is_not_there_is_a_416(client):
    answer = client.get(PATH, headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(PDF.read_bytes())}"


@pytest.mark.parametrize(
    "path", ["/assets/", "/assets/playbook/build.py", "/assets/playbook/playbook.toml", "/assets/../wsgi.py"]
)
def test_nothing_else_of_the_folder_is_served(client, path):
    assert client.get(path).status_code == 404


def test_a_book_that_was_never_printed_is_a_404_that_says_what_to_do(client, tmp_path, monkeypatch):
    monkeypatch.setattr(playbook, "PDF", tmp_path / "missing.pdf")
    answer = client.get(PATH)
    assert answer.status_code == 404 and "make playbook" in answer.json["detail"]


def test_the_link_in_the_emails_leads_to_it(client, deps):
    receipt = opt_in(deps, "delivered+ana@resend.dev")
    with deps.reads() as session:
        [first] = emails.load(session, email_ids(receipt)[:1])
    link = variables_of(deps, first, gather(deps, {("christmas", first.template_key)}))["pdf_download_link"]
    assert str(link).startswith(deps.settings.public_url)
    assert client.get(urlsplit(str(link)).path).content_type == "application/pdf"
