"""CSV files for spreadsheets, in which no typed text is executed as a formula."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, stream_with_context

from funnel_app.lists.safe_cells import safe

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def csv_answer(name: str, rows: Iterable[Iterable[object]]) -> Response:
    """Return rows as a download, read while it is sent, so that a long one takes no memory."""
    answer = Response(stream_with_context(_lines(rows)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    # Without a byte order mark Excel reads “Béla” as “BÃ©la”.
    yield BYTE_ORDER_MARK
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([safe(cell) for cell in row])
        yield line.getvalue()
