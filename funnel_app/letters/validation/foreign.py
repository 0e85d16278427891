"""Foreign placeholders: other tools' syntax, which a lead would read literally."""

import re
from collections.abc import Collection, Iterator

from funnel_app.letters.problem import Problem, fault
from funnel_app.letters.validation.suggest import suggest

# Mailchimp, ActiveCampaign, Kit and old forms, Zapier and JavaScript, ERB and EJS, and incomplete ones of ours.
_FOREIGN = re.compile(
    r"\*\|\s*(?P<stars>\w+)(?::\w+)?\s*\|\*"
    r"|%(?P<percents>[A-Z][A-Z0-9_]{2,40})%"
    r"|(?<![\w-])-(?P<hyphens>[a-z]+_[a-z_]{2,40})-(?![\w-])"
    r"|\[{1,2}\s*(?P<brackets>[a-z]+_[a-z_]{2,40}|(?i:first ?name|last ?name|business ?name|company ?name))\s*\]{1,2}"
    r"|\$\{\s*(?P<dollar>[A-Za-z_][\w.]{0,40})\s*\}"
    r"|<%=?\s*(?P<percent_tag>[A-Za-z_@][\w.]{0,40})\s*%>"
    r"|(?<![{$])\{\s*(?P<brace>[A-Za-z_]\w{0,40})\s*\}(?!\})"
)


def foreign_placeholders(part: str, texts: Collection[str], known: Collection[str]) -> Iterator[Problem]:
    """Yield a problem per foreign placeholder in these texts, with the spelling that works here."""
    found = {match[0]: match[match.lastgroup or 0] for text in texts for match in _FOREIGN.finditer(text)}
    for written, name in found.items():
        detail = f'The {part} says "{written}", which no lead should read: another tool would fill it in.'
        yield fault("foreign_placeholder", f"{detail} {_right(name, known)}")


def _right(name: str, known: Collection[str]) -> str:
    meant = suggest(name.rsplit(".", 1)[-1], known)
    return f"Here it is {{{{ {meant} }}}}." if meant else "Here a name stands between {{ and }}."
