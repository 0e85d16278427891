"""The interface's page in a real browser, without the internet."""


def test_a_person_reads_the_hooks_and_nothing_comes_from_elsewhere(page, funnel):
    _, url = funnel
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{url}/docs")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() == 7
    page.locator(".opblock-summary").first.click()
    page.wait_for_selector(".opblock-body")
    assert "Idempotency-Key" in page.locator(".opblock-body").first.inner_text()
    assert all(address.startswith((url, "data:")) for address in asked) and said == []
