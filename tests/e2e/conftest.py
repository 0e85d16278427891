"""A real Chromium, a sandbox and the web application, both over real HTTP."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine
from werkzeug.serving import make_server

from funnel_app.app import create_app
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.doctor import examine_and_keep
from funnel_app.flows.monitoring.watch import watch
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.templates.populate import populate
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.resend.mailer import Mailer
from sandbox.server import Server, serve
from tests.console_world import enter_world, fill, keep_world, live_days
from tests.factories import make_deps
from tests.flows.monitoring.test_doctor import LIVE
from tests.once import once_a_run
from tests.redis_server import RedisServer
from tests.sqlite_files import into_one_file, open_copy

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

# How long a page may take to show what is expected, on a machine that does much else.
PATIENCE_MS = 30_000


def chromium() -> str:
    """Return the path of the system's Chromium."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path, "The browser tests need Chromium: `make test` installs it where it may."
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def windows_are_closed(browser: Browser) -> Iterator[None]:
    """Close what a test opened: a page that looks again by itself would go on doing so beside all others."""
    before = set(browser.contexts)
    yield
    for context in set(browser.contexts) - before:
        context.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a desktop; what it showed last is kept as a picture beside the test's files."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    yield opened
    opened.screenshot(path=tmp_path / "last.png", full_page=True)
    context.close()


@pytest.fixture
def sandbox() -> Iterator[Server]:
    """A sandbox that serves."""
    with serve() as server:
        yield server


@pytest.fixture
def funnel(sqlite, sandbox: Server) -> Iterator[tuple[Deps, str]]:
    """The application over HTTP with starter texts, sending to the sandbox; and its address."""
    deps = make_deps(sqlite)
    server = make_server("127.0.0.1", 0, create_app(deps), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    deps = replace(deps, mailer=Mailer("re_test", sandbox.resend_url), settings=replace(deps.settings, public_url=url))
    populate(deps)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield deps, url
    server.shutdown()
    thread.join()
    server.server_close()


SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass
class Site:
    """A console over HTTP at one width, with two weeks of leads behind it; `state` is what a browser remembers."""

    browser: Browser
    width: str
    app: Flask
    deps: Deps
    url: str
    leads: dict[str, Receipt] = field(default_factory=dict)
    state: Any = None

    def open(self, *, login: bool = True, **options: Any) -> Page:
        """Return a page of this width at which Olga is logged in, or a stranger's."""
        state = self.state if login else None
        return self.browser.new_context(viewport=SIZES[self.width], storage_state=state, **options).new_page()

    def log_in(self) -> None:
        """Log Olga in, once for all pages: tries are throttled."""
        page = self.open(login=False)
        page.goto(f"{self.url}/console/")
        page.get_by_label("Your name").fill("Olga")
        page.get_by_label("Password").fill("console")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Today")).to_be_visible()
        self.state = page.context.storage_state()
        page.context.close()


@pytest.fixture(scope="module", params=list(SIZES))
def width(request: pytest.FixtureRequest) -> str:
    """The width of the screen: each test of the console runs at both, on a console of its own."""
    return str(request.param)


@contextmanager
def serving(browser: Browser, width: str, engine: Engine) -> Iterator[Site]:
    """Serve the console of a ledger, with a Redis for rq-dashboard."""
    with RedisServer() as redis:
        deps = make_deps(engine, redis_url=redis.url, secret_key="k" * 32, **LIVE)
        queues = Queues(redis.url)
        queues.push([(f"noop-{queue}", "jobs.deliver.deliver", (), queue) for queue in ("emails", "transactional")])
        queues.close()
        app = create_app(deps)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield Site(browser, width, app, deps, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
        server.server_close()
    engine.dispose()


@pytest.fixture(scope="module")
def site(browser: Browser, width: str, migrated_sqlite: Path, tmp_path_factory) -> Iterator[Site]:
    """A console in which nothing has happened yet."""
    engine = open_copy(migrated_sqlite, tmp_path_factory.mktemp("site") / "funnel.db")
    with serving(browser, width, engine) as opened:
        yield opened


@pytest.fixture(scope="session")
def world(migrated_sqlite: Path, tmp_path_factory) -> Path:
    """Two weeks of leads in every state that an operator can meet, to be copied."""

    def live(folder: Path) -> None:
        deps = make_deps(open_copy(migrated_sqlite, folder / "funnel.db"), **LIVE)
        populate(deps)
        live_days(deps)
        leads = fill(deps)
        keep_world(deps, leads, folder / "world")
        into_one_file(deps.engine)

    return once_a_run(tmp_path_factory, "world", live)


@pytest.fixture(scope="module")
def filled(browser: Browser, width: str, world: Path, tmp_path_factory) -> Iterator[Site]:
    """The console two weeks later, at which Olga is logged in."""
    engine = open_copy(world / "funnel.db", tmp_path_factory.mktemp("filled") / "funnel.db")
    with serving(browser, width, engine) as site:
        populate(site.deps)
        site.leads = enter_world(site.deps, world / "world")
        watch(site.deps)
        examine_and_keep(site.deps)
        site.log_in()
        yield site


@pytest.fixture
def console(filled: Site) -> Iterator[Page]:
    """A screen at which Olga is logged in, on Today."""
    page = filled.open()
    page.goto(f"{filled.url}/console/")
    yield page
    page.context.close()
