"""Lists: upload a file of leads, preview it, start the import, and watch its progress."""

from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.fields import duration
from funnel_app.current import current_deps
from funnel_app.flows.lists import uploads
from funnel_app.flows.lists.import_settings import ImportSettings, NotPossible, settable
from funnel_app.flows.lists.uploads import Foreseen
from funnel_app.ledger.imports import ACTIVE, ImportState
from funnel_app.lists.files import NotAList
from funnel_app.lists.headings import NAMES
from funnel_app.web.bounded_request import LARGEST_LIST
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.csv_files import csv_answer
from funnel_app.web.console.shared.frame import blueprint, page

NO_FILE = "Choose a file first."
# The spans over which the first emails can be spread.
OVERS = {
    "": "as soon as each row is in",
    "6h": "over 6 hours",
    "1d": "over a day",
    "2d": "over 2 days",
    "7d": "over a week",
}


@blueprint.get("/lists")
def lists_page() -> ResponseReturnValue:
    """Show the imported lists, and an upload form."""
    return _lists_page()


@blueprint.post("/lists")
def keep_list() -> ResponseReturnValue:
    """Store a file as a draft, and show its detected columns; nothing is imported yet."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _lists_page(NO_FILE), 422
    try:
        with closing(file):
            kept = uploads.keep_list(current_deps(), file.filename, file.read(), operator() or "")
    except NotAList as fault:
        return _lists_page(str(fault)), 422
    return redirect(url_for("console.list_page", import_id=kept), 303)


@blueprint.get("/lists/<uuid:import_id>")
def list_page(import_id: UUID) -> ResponseReturnValue:
    """Show one list: a draft with its columns, or an import with its progress."""
    return _list_page(import_id)


@blueprint.post("/lists/<uuid:import_id>")
def do_list(import_id: UUID) -> ResponseReturnValue:
    """Preview a draft's first rows, start its import, resume or stop it."""
    deps, who, verb = current_deps(), operator() or "", request.form.get("verb")
    try:
        if verb == "stop":
            flash(f"Done: {uploads.stop(deps, import_id, who)}.")
        elif verb == "go_on":
            flash(f"Done: {uploads.start(deps, import_id, who)}.")
        else:
            foreseen = uploads.look(deps, import_id, _chosen())
            if verb != "start":
                return _list_page(import_id, foreseen=foreseen)
            flash(f"Done: {uploads.start(deps, import_id, who)}.")
    except (NotPossible, NotAList) as fault:
        return _list_page(import_id, fault=str(fault)), 409
    return redirect(url_for("console.list_page", import_id=import_id), 303)


@blueprint.get("/lists/<uuid:import_id>.csv")
def list_csv(import_id: UUID) -> ResponseReturnValue:
    """Return the result of each row so far."""
    return csv_answer("funnel-import", uploads.answered_rows(current_deps().reads, import_id))


def _chosen() -> ImportSettings:
    given = request.form
    pairs = (line.rpartition("=") for line in given.get("means", "").splitlines() if line.strip())
    return ImportSettings(
        columns=uploads.columns_said(given.getlist("column")),
        sequence=given.get("sequence", ""),
        consent=given.get("consent", "").strip(),
        over=_over(given.get("over", "")),
        means={word.strip(): said.strip() for word, _, said in pairs},
    )


def _over(text: str) -> timedelta:
    return duration(text) if text and text in OVERS else timedelta()


def _lists_page(fault: str | None = None) -> str:
    found = uploads.list_imports(current_deps().reads)
    return page("lists.html", found=found, fault=fault, largest_mb=LARGEST_LIST // 2**20)


def _list_page(import_id: UUID, foreseen: Foreseen | None = None, fault: str | None = None) -> str:
    deps = current_deps()
    found = uploads.find_import(deps.reads, import_id)
    if found is None:
        raise NotFound("There is no such list; a draft is kept for a day.")
    kept, counts = found
    chosen = ImportSettings.from_json(kept.wish) if kept.wish else None
    is_draft = kept.state == ImportState.DRAFT and kept.file is not None
    return page(
        "list.html",
        kept=kept,
        counts=counts,
        chosen=chosen,
        columns=uploads.columns_of(kept) if is_draft else (),
        fields=_fields(chosen.sequence if chosen else ""),
        runs=kept.state in ACTIVE,
        foreseen=foreseen,
        fault=fault,
        sequences=deps.registry.startable_titles(),
        overs=OVERS,
        over=next((key for key in OVERS if chosen and _over(key) == chosen.over), ""),
    )


def _fields(sequence: str) -> Iterable[str]:
    return (*NAMES, *settable(current_deps().registry, sequence))
