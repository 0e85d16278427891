"""The sandbox's inbox, which loads itself again every two seconds, under the hands of whoever measures or clicks."""

from playwright.sync_api import Page, Route, expect

REFRESH = '<meta http-equiv="refresh" content="2">'


def hold_still(inbox: Page) -> None:
    """Load the inbox once more without what makes it load itself again."""

    def serve(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(REFRESH, ""))

    inbox.route(inbox.url, serve)
    inbox.goto(inbox.url)
    inbox.unroute(inbox.url, serve)
    expect(inbox.locator("meta[http-equiv]")).to_have_count(0)
