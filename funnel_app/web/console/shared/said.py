"""Messages of flows in the console's words: titles instead of keys, and buttons instead of commands."""

import re

from funnel_app.current import current_deps

ID = r"(?: [0-9a-f-]{36})?"
# Commands in messages, and the console's equivalents. Commands without one stay.
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
        (r"resume it with flask sending resume, or under Pauses in the \S+", "resume it under Pauses"),
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
    """Return a message in the console's words; `beside` is the template of an email named next to it."""
    told = current_deps().registry.in_titles(words or "", beside)
    for command, instead in INSTEAD:
        told = command.sub(instead, told)
    return told
