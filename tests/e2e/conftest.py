"""A real Chromium, a sandbox and the web application, both over real HTTP."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from werkzeug.serving import make_server

from funnel_app.deps import Deps
from funnel_app.flows.templates.populate import populate
from funnel_app.gateways.resend.mailer import Mailer
from sandbox.server import Server, serve
from tests.apps import application
from tests.console_world import keep_world
from tests.e2e.beside import with_two_campaigns
from tests.e2e.site import SIZES, Site, enter_weeks, live_weeks, serving
from tests.factories import make_deps
from tests.flows.monitoring.live import LIVE
from tests.once import network_stays, once_a_run
from tests.sqlite_files import into_one_file, open_copy

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# No page lives long enough to be worth its optimised code, or a process of its own beside those of the same browser.
SHORT_LIVED = ("--js-flags=--no-opt", "--disable-site-isolation-trials", "--renderer-process-limit=1")
# Where who composes the picture has no thread, nothing is drawn: a third of what a page costs.
UNDRAWN = "--disable-threaded-compositing"

# How long a page may take to show what is expected, on a machine that does much else.
PATIENCE_MS = 30_000


def chromium() -> str:
    """Return the path of the system's Chromium."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path, "The browser tests need Chromium: `make test` installs it where it may."
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What starts browsers."""
    with sync_playwright() as started:
        expect.set_options(timeout=PATIENCE_MS)
        yield started


@contextmanager
def launched(playwright: Playwright, path: str, *more: str) -> Iterator[Browser]:
    """Start the browser at this path, without a window."""
    browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *SHORT_LIVED, *more])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without its windows, which takes half the time, or all of it where that is not to be had."""
    with launched(playwright, shutil.which(SHELL) or chromium()) as started:
        yield started


@pytest.fixture(scope="session")
def undrawn(playwright: Playwright) -> Iterator[Browser]:
    """The same, for pages that are only measured and read: it draws none, and what waits for a frame never happens."""
    with launched(playwright, shutil.which(SHELL) or chromium(), UNDRAWN) as started:
        yield started


@pytest.fixture(autouse=True)
def windows_are_closed(browser: Browser) -> Iterator[None]:
    """Close what a test opened: a page that looks again by itself would go on doing so beside all others.

    While a test has a window nobody changes the network.
    """
    before = set(browser.contexts)
    with network_stays():
        yield
    for context in set(browser.contexts) - before:
        context.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a desktop; what it showed last is kept as a picture beside the files of a test that fails."""
    context = browser.new_context(viewport=SIZES["desktop"])
    opened = context.new_page()
    failed = request.session.testsfailed
    yield opened
    if request.session.testsfailed > failed:
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
    server = make_server("127.0.0.1", 0, application(deps), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    deps = replace(deps, mailer=Mailer("re_test", sandbox.resend_url), settings=replace(deps.settings, public_url=url))
    populate(deps)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield deps, url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def width(request: pytest.FixtureRequest) -> str:
    """The width of the screen: a desktop's, unless a file of tests wants another."""
    return str(getattr(request, "param", "desktop"))


@pytest.fixture(scope="module")
def site(browser: Browser, width: str, migrated_sqlite: Path, tmp_path_factory) -> Iterator[Site]:
    """A console in which nothing has happened yet."""
    engine = open_copy(migrated_sqlite, tmp_path_factory.mktemp("site") / "funnel.db")
    with serving(browser, width, engine) as opened:
        yield opened


@pytest.fixture(scope="session")
def world(migrated_sqlite: Path) -> Path:
    """Two weeks of leads in every state that an operator can meet, to be copied."""

    def live(folder: Path) -> None:
        deps = with_two_campaigns(make_deps(open_copy(migrated_sqlite, folder / "funnel.db"), **LIVE))
        keep_world(deps, live_weeks(deps), folder / "world")
        into_one_file(deps.engine)

    return once_a_run("world", live)


@pytest.fixture(scope="module")
def filled(browser: Browser, width: str, world: Path, tmp_path_factory) -> Iterator[Site]:
    """The console two weeks later, at which Olga is logged in."""
    engine = open_copy(world / "funnel.db", tmp_path_factory.mktemp("filled") / "funnel.db")
    with serving(browser, width, engine) as site:
        # She logs in at a window, and no test that would hold the network has begun.
        with network_stays():
            enter_weeks(site, world / "world")
        yield site


@pytest.fixture(scope="module")
def olgas(filled: Site) -> Iterator[BrowserContext]:
    """The browser of Olga, who stays logged in: a test that ends that opens one of its own."""
    context = filled.browse()
    yield context
    context.close()


@pytest.fixture(scope="module")
def olgas_screen(olgas: BrowserContext) -> Page:
    """Her one screen: each further one is a process of Chromium's, which takes as long to start as a page to load."""
    return olgas.new_page()


@pytest.fixture
def screen(filled: Site, olgas_screen: Page) -> Iterator[Page]:
    """A screen at which Olga is logged in, with nothing on it yet."""
    yield olgas_screen
    olgas_screen.goto("about:blank")
    olgas_screen.set_viewport_size(SIZES[filled.width])


@pytest.fixture
def console(filled: Site, screen: Page) -> Page:
    """A screen at which Olga is logged in, on Today."""
    screen.goto(f"{filled.url}/console/")
    return screen
