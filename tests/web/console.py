"""An operator of the console for tests, in few words."""

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from funnel_app.ledger.operator_actions import OperatorAction

PASSWORD = "console"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


# An id that somebody reads on the page of what people did; addresses of pages may hold one.
LOGGED_ID = re.compile(r"<small[^>]*>[^<]*[0-9a-f]{8}[^<]*</small>")


class Operator:
    """Somebody at the console, whose forms carry the token as a browser's would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def log_in(self, name: str = "Olga", password: str = PASSWORD, **more: Any) -> TestResponse:
        return self.send("/console/login", form="/console/login", name=name, password=password, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def send(self, path: str, *, form: str | None = None, **fields: str) -> TestResponse:
        """Fill in the form of a page (without `form`: of the same path) and send it."""
        token = TOKEN.search(self.client.get(form or path).text)
        assert token, f"there is no form at {form or path}"
        return self.client.post(path, data={"csrf_token": token[1], **fields})


def did(deps) -> list[tuple[str, str]]:
    """Return who did what, in order."""
    with deps.reads() as session:
        rows = session.scalars(select(OperatorAction).order_by(OperatorAction.at, OperatorAction.id))
        return [(row.operator, row.action) for row in rows]
