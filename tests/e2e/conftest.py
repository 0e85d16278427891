"""A real Chromium, a sandbox and the web application, both over real HTTP."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from funnel_app import create_app
from funnel_app.deps import Deps
from funnel_app.flows.populate import populate
from funnel_app.gateways.resend import Mailer
from sandbox.server import Server, serve
from tests.factories import make_deps

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path, "The browser tests need Chromium: `make test` installs it where it may."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield launched
        launched.close()


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
