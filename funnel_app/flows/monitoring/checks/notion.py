"""Checks of Notion: the token, and a sendable template under every key."""

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.mirror.prepare import check_desk
from funnel_app.flows.monitoring.check import Check, Findings, fault, ok, one_fault, warning
from funnel_app.flows.templates.audit import FAULT, OK, Audited, audit_templates
from funnel_app.flows.templates.judged_pages import Reading, read_one
from funnel_app.flows.templates.standing import kept_manually
from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.ledger import mirrored
from funnel_app.ledger.queries import plans

SHARE = "set NOTION_TOKEN, and share the database with the integration (⋯ → Connections)"
MOST_NAMED = 5
# Codes of problems that say nothing by themselves.
IN_WORDS = {"syntax": "a mistake in its tags", "forbidden": "what no text may hold", "unseen": "words that nobody sees"}


def notion(deps: Deps) -> Findings:
    """The token works, the templates' database is shared with it, and every template can be sent."""
    try:
        who = deps.notebook.whoami()
    except GatewayError as error:
        fix = SHARE if isinstance(error, Rejected) else "wait: the last good texts serve for a day"
        yield one_fault(
            ("notion token", "notion databases", "templates"), f"Notion cannot be asked: {error.message}", fix
        )
        return
    yield ok("notion token", who)
    yield _databases(deps)
    try:
        audited = audit_templates(deps).templates
    except GatewayError as error:
        yield _unread("templates", "the templates database", error, "the last good texts serve for a day")
        return
    yield from _templates(audited, kept_manually(deps))
    yield from _older(deps)


def _older(deps: Deps) -> Findings:
    """Templates that no file uses any more and people on an older plan wait for."""
    with deps.reads() as session:
        waiting = plans.texts_waiting(session)
    named = set(deps.registry.template_keys())
    keys = sorted({key for campaign, key in waiting if campaign in deps.registry.campaigns} - named)
    bad = [f"{key} ({why})" for key in keys if (why := _why_not(read_one(deps, key)))]
    if bad:
        words = f"people on an older plan wait for {', '.join(bad[:MOST_NAMED])}, which no file names any more"
        yield fault("older templates", words, "fix it in Notion, or run flask campaigns apply")


def _why_not(reading: Reading) -> str | None:
    # The variables that its campaign had then are not recorded.
    return next((p.detail for p in reading.problems if p.blocking and p.code != "unknown_variable"), None)


def mirror(deps: Deps) -> Findings:
    """Notion takes every lead's row; emails go without it."""
    with deps.reads() as session:
        number, words = mirrored.refused(session)
    if number:
        fix = "fix in Notion what it names; the rows are written again by themselves"
        yield warning("notion mirror", f"Notion refused {things(number, 'lead')}: {words}", fix)
    else:
        yield ok("notion mirror", "Notion refused no lead's row")


def _databases(deps: Deps) -> Check:
    try:
        looked = check_desk(deps.desk)
    except GatewayError as error:
        return _unread("notion databases", "they", error, "no email waits for them")
    wrong = [words for database in looked for words in database.faults]
    missing = [table.title for table in deps.desk.not_set()]
    if wrong:
        return fault("notion databases", "; ".join(wrong), "run flask --app wsgi notion init, or fix it in Notion")
    lacking = [words for database in looked for words in database.wishes_lacking]
    if lacking and deps.settings.notion_wishes_by:
        return warning(
            "notion databases", f"nobody can wish there: {'; '.join(lacking)}", "run flask --app wsgi notion init"
        )
    names = ", ".join(database.title for database in looked)
    if missing:
        words = f"as needed: {names or 'none'}; not set, so not mirrored: {', '.join(missing)}"
        return warning("notion databases", words, "run flask --app wsgi notion init --under PAGE, and set their ids")
    return ok("notion databases", f"as needed: {names}")


def _unread(name: str, what: str, error: GatewayError, meanwhile: str) -> Check:
    """Return what is to be said of databases that gave no answer to a token that works.

    Where there was only no time for one (a start reads all texts, and uses the rate up), nobody has to do anything.
    """
    if isinstance(error, Rejected):
        return fault(name, f"{what} cannot be read: {error.message}", SHARE)
    return warning(name, f"{what} could not be read just now: {error.message}", f"wait: {meanwhile}")


def _templates(audited: tuple[Audited, ...], kept: list[str]) -> Findings:
    older = f"; an older text, chosen by hand: {', '.join(kept)}" if kept else ""
    bad = [template for template in audited if template.status == FAULT]
    doubtful = [template for template in audited if template.status not in {OK, FAULT}]
    if bad:
        words = f"{things(len(bad), 'template')} of {len(audited)} cannot be sent: {_named(bad)}"
        yield fault("templates", words, "run flask --app wsgi templates audit, and fix them in Notion")
    elif doubtful:
        words = f"all {len(audited)} can be sent; to be looked at: {_named(doubtful)}{older}"
        yield warning("templates", words, "run flask --app wsgi templates audit")
    else:
        yield ok("templates", f"all {len(audited)} can be sent{older}")


def _named(templates: list[Audited]) -> str:
    named = [f"{each.key} ({_in_a_word(each)})" if each.problems else each.key for each in templates]
    return ", ".join(named[:MOST_NAMED]) + (f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else "")


def _in_a_word(template: Audited) -> str:
    code = template.problems[0].code
    return IN_WORDS.get(code, code.replace("_", " "))
