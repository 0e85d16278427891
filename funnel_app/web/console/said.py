"""Said: what a flow says, in the console's words: emails by their titles, and its own buttons instead of commands."""

import re

from funnel_app.current import current_deps

ID = r"(?: [0-9a-f-]{36})?"
# What flows tell whoever has a command line, and where the console has the same. What only a command does stays.
INSTEAD = tuple(
    (re.compile(command), words)
    for command, words in (
        (r" \(or with flask hooks replay\)", ""),
        (r", or run flask emails retry; flask trace --ids shows the id", ""),
        (r",? or with flask contacts release", ""),
        (r"flask contacts release lets", "“Mail again” on the lead’s page lets"),
        (r"(?:run )?flask contacts release", "press “Mail again” on the lead’s page"),
        (rf"flask emails retry{ID}", "press “Try again” beside it"),
        (rf"run flask emails resolve{ID} delivered, failed or not-sent", "press what you found beside it"),
        (r"tell with flask emails resolve", "press what you found beside it"),
        (r"flask emails resolve tells", "the buttons beside it tell"),
        (r"resume it with flask sending resume, or under Pauses in the console", "resume it under Pauses"),
        (r"flask events replay --given-up, or ", ""),
        (r"run flask(?: --app wsgi)? templates audit", "see Templates"),
        (r"flask templates audit", "Templates"),
        (r"flask templates preview", "its page under Templates"),
        (r"run flask replies forward", "press “Send it on” there"),
        (r"run flask doctor again", "look again"),
        (r"flask doctor", "“Run all checks” on Today"),
        (r"flask trace(?: --ids)?", "the lead’s page"),
    )
)


def said(words: str | None, beside: str | None = None) -> str:
    """Return words as the console says them; `beside` is the template of an email that is named beside them."""
    told = current_deps().registry.in_titles(words or "", beside)
    for command, instead in INSTEAD:
        told = command.sub(instead, told)
    return told
