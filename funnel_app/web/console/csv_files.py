"""CSV: a table that a spreadsheet opens, in which nothing that a stranger typed is a formula."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, stream_with_context

from funnel_app.lists.cells import safe


def csv_answer(name: str, rows: Iterable[Iterable[object]]) -> Response:
    """Return rows as a file to be kept; they are read while it is sent, so that a long one costs no memory."""
    answer = Response(stream_with_context(_lines(rows)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([safe(cell) for cell in row])
        yield line.getvalue()
