"""Words given up for the field's own do not come back in names, log events or pages; CONTRIBUTING lists them."""

import re

from sandbox.processes import ROOT
from tests.test_guards import TRACKED

GIVEN_UP = (
    r"begun_again|mind_manners|keepable|why_waiting|wind_up|wound up|unsaid_|\bdisarm|add_console|swift_client"
    r"|patient_client|What needs a person|Mend and replay|What the gate says|Examine everything|What we answered"
)
# These say what the words were.
ABOUT_WORDS = {"funnel_app/logs.py", "CONTRIBUTING.md", "CHANGELOG.md", "tests/test_words.py"}
READ = [name for name in TRACKED if name.endswith((".py", ".html", ".md")) and name not in ABOUT_WORDS]


def test_words_that_were_given_up_stay_away():
    found = {name: re.findall(GIVEN_UP, (ROOT / name).read_text()) for name in READ}
    assert {name: words for name, words in found.items() if words} == {}
