"""rq-dashboard's pages: whatever stands in a path or in Redis, no script of it runs, and nothing is unpickled."""

import base64
import json
import os
import pickle
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from urllib.parse import quote

import pytest
from jinja2 import TemplateNotFound
from redis import Redis

from funnel_app.gateways.redis.job_names import DELIVER
from funnel_app.web.console.queues import templates as rq_templates
from funnel_app.web.console.queues import words as rq_words
from tests.apps import application
from tests.web.console import Operator

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(1)>'\"<%= 1 %>{{ 7*7 }}"
JOB = "email-0197a000-0000-7000-8000-000000000001"


@pytest.fixture
def connection(redis_server) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def looking(deps, redis_server) -> Operator:
    app = application(replace(deps, settings=replace(deps.settings, redis_url=redis_server.url)))
    operator = Operator(app.test_client())
    operator.log_in()
    return operator


def plant(connection: Redis, job_id: str = JOB, **fields) -> None:
    data = zlib.compress(json.dumps([DELIVER, None, [job_id.removeprefix("email-")], {}]).encode())
    whole = {"data": data, "created_at": "2026-11-24T12:00:00.000000Z", "origin": "emails", "status": "failed"}
    connection.hset(f"rq:job:{job_id}", mapping={**whole, **fields})
    connection.zadd("rq:failed:emails", {job_id: 2e9})
    connection.rpush("rq:queue:emails", job_id)


PATHS = (
    "0/view/jobs/{}/queued/8/asc/1",
    "0/view/jobs/emails/{}/8/asc/1",
    "0/view/jobs/emails/queued/8/{}/1",
    "0/data/jobs/{}/queued/8/asc/1.json",
    "0/data/jobs/emails/{}/8/asc/1.json",
    "0/data/jobs/emails/queued/{}/asc/1.json",
    "0/data/jobs/emails/queued/8/{}/1.json",
    "0/data/jobs/emails/queued/8/asc/{}.json",
    "0/view/job/{}",
    "0/data/job/{}.json",
)
WORDS = (
    "');alert(1)//",
    "'+alert(1)+'",
    "\\",
    "<script>alert(1)</script>",
    "default",
    "..",
    "-1",
    "٣",
    "email-1",
    "9" * 5000,
)


@pytest.mark.parametrize("path", PATHS)
def test_only_known_names_open_a_page(looking, path):
    for words in WORDS:
        answer = looking.get(f"/console/rq/{path.format(quote(words, safe=''))}")
        assert answer.status_code == 404 and ("alert" not in words or words not in answer.text), words
    assert looking.get(f"/console/rq/{path.format('emails')}").status_code in {200, 404}


ELSEWHERE = (
    "1/view/queues",
    "7/view/jobs/emails/queued/8/asc/1",
    "0/view/jobs/emails/queued/9999/asc/1",
    "0/view/jobs/emails/queued/0/asc/1",
    "0/view/jobs/emails/queued/8/asc/0",
)


@pytest.mark.parametrize("path", ELSEWHERE)
def test_another_redis_and_endless_pages_are_not_there(looking, path):
    assert looking.get(f"/console/rq/{path}").status_code == 404


PAGES = ("", "0/view/jobs", "0/view/jobs/emails/failed/8/dsc/1", f"0/view/job/{JOB}", "0/view/workers")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_a_document_without_rights_and_prints_nothing_as_it_is(looking, connection, path):
    plant(connection, description=SCRIPT, meta=json.dumps(SCRIPT), result=json.dumps(SCRIPT))
    told = base64.b64encode(zlib.compress(SCRIPT.encode()))
    connection.xadd(f"rq:results:{JOB}", {"type": 2, "created_at": "1", "exc_string": told, "worker_name": SCRIPT})
    connection.sadd("rq:queues", f"rq:queue:{SCRIPT}")
    answer = looking.get(f"/console/rq/{path}")
    assert answer.status_code == 200
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert (policy["sandbox"], policy["connect-src"], policy["form-action"]) == ("allow-scripts", "'none'", "'none'")
    nonce = re.fullmatch(r"'nonce-([\w-]{22})' 'unsafe-eval'", policy["script-src"])[1]
    assert "alert(1)</script>" not in answer.text and "<img src=x" not in answer.text and "<%=" not in answer.text
    assert answer.text.count(f'nonce="{nonce}"') == 6, "jQuery, underscore, sugar, bootstrap, our own, and the page's"
    assert "As of 07:00:00: look again" in answer.text, "old figures do not pass for present ones"
    assert answer.headers.get("Refresh") == (None if "view/job/" in path else "15")
    assert nonce not in looking.get(f"/console/rq/{path}").text, "a nonce serves once"


def test_what_a_page_fetched_comes_with_it(looking, connection):
    plant(connection)
    for path, words in {"": '"transactional"', "0/view/jobs/emails/failed/8/asc/1": JOB, f"0/view/job/{JOB}": JOB,
                        "0/view/workers": '"workers"'}.items():  # fmt: skip
        carried = re.search(r'id="rq-data">(.*?)</script>', looking.get(f"/console/rq/{path}").text)[1]
        assert words in carried and json.loads(carried)
    assert "The failed jobs of the kind" in looking.get("/console/rq/0/view/jobs/emails/failed/8/asc/1").text


class Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_looking_at_a_job_unpickles_nothing_and_changes_nothing(looking, connection, tmp_path):
    bombs = {name: pickle.dumps(Bomb(str(tmp_path / name))) for name in ("data", "meta", "result")}
    plant(connection, **bombs)
    plant(connection, "foreign", **bombs)
    worker = {"birth": "2026-11-24T12:00:00.000000Z", "queues": "emails", "current_job": JOB, "state": "busy"}
    connection.sadd("rq:workers", "rq:worker:w")
    connection.hset("rq:worker:w", mapping=worker)
    connection.xadd(f"rq:results:{JOB}", {"type": 2, "created_at": "1", "exc_string": "no base64"})
    before = connection.dbsize()
    for path in (*PAGES, "0/view/job/foreign", f"0/data/job/{JOB}.json", "0/data/workers.json",
                 "0/data/jobs/emails/failed/8/asc/1.json"):  # fmt: skip
        assert looking.get(f"/console/rq/{path}").status_code == (404 if "foreign" in path else 200), path
    assert not [name for name in bombs if (tmp_path / name).exists()]
    assert (connection.dbsize(), connection.ttl("rq:job:foreign")) == (before, -1)


def test_its_files_are_open_since_its_documents_ask_for_them_as_strangers(looking, deps):
    stranger = looking.client.application.test_client()
    for path in ("/console/rq/static/js/jquery-3.5.1.min.js", "/console/static/rq.js", "/console/static/rq.css"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")
        answer.close()
    assert stranger.get("/console/rq/static/%2e%2e/web.py").status_code == 404


def test_a_template_that_nobody_read_is_not_shown(monkeypatch, looking):
    templates = rq_templates.PatchedTemplates(looking.client.application.jinja_env.loader)
    environment = looking.client.application.jinja_env
    for name in ("rq_dashboard/new.html", "fault.html", "rq_dashboard/../fault.html"):
        with pytest.raises(TemplateNotFound):
            templates.get_source(environment, name)
    monkeypatch.setitem(rq_templates.KNOWN, "base.html", "0" * 64)
    with pytest.raises(RuntimeError, match="read it"):
        environment.loader.get_source(environment, "rq_dashboard/base.html")


def test_every_template_is_escaped_whatever_its_file_is_called(looking):
    environment = looking.client.application.jinja_env
    for name in ("rq_dashboard/scripts/jobs.js", "page.txt", "page", "page.html", None):
        escapes = environment.autoescape
        assert escapes is True or escapes(name), name


def test_each_of_its_words_that_is_replaced_stands_in_it_once_at_least():
    folder = resources.files("rq_dashboard") / "templates" / "rq_dashboard"
    theirs = "\n".join((folder / name).read_text() for name in rq_templates.KNOWN)
    assert [words for words in rq_words.SAID if words not in theirs] == []


@pytest.mark.parametrize("testing", [True, False])
def test_what_every_page_has_on_top_its_pages_have_too(looking, deps, redis_server, testing):
    settings = replace(deps.settings, redis_url=redis_server.url, testing_mode=testing)
    operator = Operator(application(replace(deps, settings=settings)).test_client())
    operator.log_in()
    for path in PAGES[:2]:
        page = operator.get(f"/console/rq/{path}").text
        assert ("testing mode" in page) is testing
        assert 'href="/console/search">Find<' in page and 'href="/console/logout"' in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', operator.get("/console/logout").text)[1]
    assert operator.client.post("/console/logout", data={"csrf_token": token}).status_code == 303
    assert operator.get("/console/").status_code == 303, "nobody is logged in any more"
