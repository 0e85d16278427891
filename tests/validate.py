"""What the W3C's checker finds on our pages: `python -m tests.validate VNU.JAR`; 1 where it finds a fault.

https://validator.github.io/validator/ It needs Java, so it is run by hand (`make validate`) and not with the tests.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from structlog.testing import capture_logs

from funnel_app.ledger import schema
from funnel_app.ledger.engine import open_engine
from tests.apps import application
from tests.console_world import fill
from tests.e2e.site import PLACES
from tests.factories import make_deps
from tests.flows.leads import email_ids, write_templates
from tests.web.console import Operator

OTHERS = {"unsubscribe": "/u/nobody", "error": "/nowhere"}


def write_pages(folder: Path) -> int:
    """Write every kind of page, over a ledger with leads in every state, as a file each; return how many."""
    engine = open_engine(f"sqlite:///{folder / 'funnel.db'}")
    schema.upgrade(engine)
    deps = make_deps(engine)
    write_templates(deps)
    operator = Operator(application(deps).test_client())
    operator.log_in()
    world = fill(deps)
    leads = {name: f"/console/leads/{receipt.contact_id}" for name, receipt in world.items()}
    receipt = world["delivered"]
    one = {"email": f"/console/emails/{email_ids(receipt)[0]}", "hook": f"/console/hooks/{receipt.hook_id}"}
    found = {**PLACES, **leads, **one, **OTHERS}
    for name, path in found.items():
        answer = operator.get(path, headers={"Accept": "text/html"})
        if answer.mimetype == "text/html" and answer.text:
            (folder / f"{name}.html").write_text(answer.text)
    engine.dispose()
    return len(list(folder.glob("*.html")))


def main() -> int:
    """Write the pages, have them checked, and say what was found."""
    with tempfile.TemporaryDirectory() as folder, capture_logs():
        number = write_pages(Path(folder))
        files = sorted(map(str, Path(folder).glob("*.html")))
        checked = subprocess.run(["java", "-jar", sys.argv[1], *files], capture_output=True, text=True, check=False)
    sys.stdout.write(checked.stderr.replace(f"file:{folder}/", "") or f"Nothing found on {number} pages.\n")
    return 1 if checked.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
