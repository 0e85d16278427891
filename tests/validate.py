"""What the W3C's checker finds on our pages: `python -m tests.validate VNU.JAR`; 1 where it finds a fault.

https://validator.github.io/validator/ `make test` runs it beside the tests: all pages in one Java, and no browser.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from funnel_app.deps import Deps
from funnel_app.flows.lists.uploads import keep_list
from funnel_app.flows.monitoring.doctor import examine_and_keep
from funnel_app.ledger import contacts
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.web.console.buttons import BUTTONS
from funnel_app.web.console.theme import COOKIE
from sandbox.command_line import command_line
from tests.apps import application
from tests.console_world import fill
from tests.e2e.site import LIST, Site, pages
from tests.factories import make_deps
from tests.flows.leads import write_templates
from tests.web.console import Operator

# It parses deep pages with its stack; what runs for seconds need not be compiled for hours.
JAVA = ("java", "-Xss4m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar")
HTML = {"Accept": "text/html"}
GONE = OperationalError("SELECT", {}, Exception("unable to open database file"))
Pages = Iterator[tuple[str, TestResponse]]


def write_pages(folder: Path) -> int:
    """Write every kind of page, over a ledger with leads in every state, as a file each; return how many."""
    engine = open_engine(f"sqlite:///{folder / 'funnel.db'}")
    schema.upgrade(engine)
    deps = make_deps(engine)
    write_templates(deps)
    operator = Operator(application(deps).test_client())
    operator.log_in()
    for look in (_console, _recipients, _faults):
        for name, answer in look(deps, operator):
            assert answer.mimetype == "text/html" and answer.text, (name, answer.status)
            (folder / f"{name}.html").write_text(answer.text)
    engine.dispose()
    return len(list(folder.glob("*.html")))


def _console(deps: Deps, operator: Operator) -> Pages:
    world = fill(deps)
    keep_list(deps, "fair.csv", LIST, "Olga")
    examine_and_keep(deps)
    leads = {f"lead-{name}": f"/console/leads/{receipt.contact_id}" for name, receipt in world.items()}
    known = pages(cast(Site, SimpleNamespace(deps=deps, leads={**world, "veteran": world["booked"]})))
    for name, path in {**known, **leads}.items():
        yield name, operator.get(path, headers=HTML)
    yield from _questions(operator, known)
    for theme in ("light", "dark"):
        operator.client.set_cookie(COOKIE, theme, path="/console/")
        yield f"today-{theme}", operator.get("/console/", headers=HTML)


def _questions(operator: Operator, known: dict[str, str]) -> Pages:
    """Yield what each button asks, of whatever it can be pressed on."""
    lead = known["lead-abroad"]
    email = known["email-planned"].rpartition("/")[2]
    targets = (lead.rpartition("/")[2], known["ask"].rpartition("/")[2], email)
    for verb, (i, each) in product(BUTTONS, enumerate(targets)):
        answer = operator.get(f"/console/do/{verb}/{each}", headers=HTML)
        if answer.status_code == 200:
            yield f"ask-{verb}-{i}", answer


def _recipients(deps: Deps, operator: Operator) -> Pages:
    with deps.reads() as session:
        ana = contacts.find(session, "delivered+ana0@resend.dev")
        assert ana, "the world that the operator looks at begins with her"
        token = ana.unsubscribe_token
    here = f"/u/{token}"
    yield "unsubscribe", operator.get(here)
    yield "unsubscribed", operator.client.post(here, data={"choice": "marketing"})
    yield "unsubscribed-all", operator.client.post(here, data={"choice": "all"})
    yield "unsubscribed-by-mistake", operator.client.post(here, data={"choice": "undo"})
    yield "unsubscribe-of-nobody", operator.get("/u/nobody")


def _faults(deps: Deps, operator: Operator) -> Pages:
    yield "error", operator.get("/nowhere", headers=HTML)
    yield "forged", operator.client.post("/console/enrol", headers=HTML)
    with _ledger_away(deps):
        for name, path in {"today": "/console/", "unsubscribe": "/u/nobody", "doctor": "/console/doctor"}.items():
            yield f"{name}-without-ledger", operator.get(path, headers=HTML)
    operator.client.delete_cookie("funnel_console", path="/console/")
    yield "wrong-password", operator.log_in(password="wrong")


@contextmanager
def _ledger_away(deps: Deps) -> Iterator[None]:
    with patch.object(deps.engine.pool, "connect", side_effect=GONE):
        yield


def main(jar: str) -> int:
    """Write the pages, have them checked, and say what was found."""
    with tempfile.TemporaryDirectory() as folder, capture_logs():
        number = write_pages(Path(folder))
        files = sorted(map(str, Path(folder).glob("*.html")))
        checked = subprocess.run([*JAVA, jar, *files], capture_output=True, text=True, check=False)
    found = checked.stderr.replace(f"file:{folder}/", "")
    if checked.returncode:
        sys.stdout.write(f"The W3C's checker (python -m tests.validate) found on our pages:\n{found}")
    else:
        sys.stdout.write(f"The W3C's checker found nothing on {number} pages.\n")
    return 1 if checked.returncode else 0


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, jar="var/vnu/node_modules/vnu-jar/build/dist/vnu.jar")))
