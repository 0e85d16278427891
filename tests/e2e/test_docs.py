"""The interface's page in a real browser, without the internet.

It needs the application alone, as `live_server` of pytest-flask serves it; the console's pages run beside the sandbox.
"""

from multiprocessing import active_children

import pytest
from playwright.sync_api import expect


@pytest.fixture(autouse=True)
def its_process_is_gone():
    """Kill a server that does not stop within `live_server`'s five seconds: it holds the browser's pipes open."""
    yield
    for left in active_children():
        left.kill()
        left.join()


def test_a_person_reads_the_hooks_and_nothing_comes_from_elsewhere(page, live_server):
    url = live_server.url()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{url}/docs")
    page.wait_for_selector(".opblock")
    expect(page.locator(".opblock")).to_have_count(7)
    page.locator(".opblock-summary").first.click()
    page.wait_for_selector(".opblock-body")
    # It opens before what stands in it has come.
    expect(page.locator(".opblock-body").first).to_contain_text("Idempotency-Key", use_inner_text=True)
    assert all(address.startswith((url, "data:")) for address in asked) and said == []
