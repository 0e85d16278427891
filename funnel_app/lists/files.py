"""Files of leads: detect encoding, separator and headings; read as a stream.

Excel writes "CSV UTF-8" with a byte order mark, "CSV" in the Windows code page with semicolons where commas are decimal
signs, and "Unicode Text" in UTF-16 with tabs; Google Sheets and most programs write UTF-8 with commas.
https://www.rfc-editor.org/rfc/rfc4180 is the nominal format.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from funnel_app.rules.people.typed_text import visible

SEPARATORS = ",;\t|"
HEAD = 64 * 1024
PIECE = 1024 * 1024
MOST_COLUMNS = 500
MOST_ROWS = 1_000_000
# A line is read whole, and one that never ends would fill the memory.
LONGEST_LINE = 1_000_000
# Signatures of binary files: https://en.wikipedia.org/wiki/List_of_file_signatures
OTHERS = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "a database"),
)
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SAVE_AS = "Open it in the program that made it, and save it as CSV."


class NotAList(ValueError):
    """A file that cannot be read as rows of leads; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """The format of a file; if the first line has an address in it, the file has no headings."""

    encoding: str
    separator: str
    headings: tuple[str, ...]
    has_headings: bool
    skipped: int = 0


@dataclass(frozen=True)
class Line:
    """A non-empty row of a file, with its number in a spreadsheet."""

    number: int
    cells: tuple[str, ...]


def form_of(file: IO[bytes]) -> Form:
    """Return the format of a file. Raises NotAList."""
    file.seek(0)
    head = file.read(HEAD)
    _require_text(head)
    encoding = _encoding(file, head)
    with _text(file, encoding) as text:
        first = text.readline(HEAD)
    # Excel's own first line, which names the separator and is no row.
    hint = first.strip().lower().removeprefix("sep=") if first.lower().startswith("sep=") else ""
    separator = first[4] if hint or first.lower().startswith("sep=\t") else _separator(file, encoding)
    skipped = 1 if first.lower().startswith("sep=") else 0
    lines = _lines(file, encoding, separator, skipped)
    top = next(lines, None)
    if top is None:
        raise NotAList("The file holds no rows.")
    if len(top.cells) > MOST_COLUMNS:
        raise NotAList(f"The file has {len(top.cells)} columns; a list of leads has {MOST_COLUMNS} at most.")
    has_headings = not any("@" in cell for cell in top.cells)
    named = top.cells if has_headings else tuple(f"Column {number + 1}" for number in range(len(top.cells)))
    return Form(
        encoding=encoding,
        separator=separator,
        headings=tuple(_heading(name, number) for number, name in enumerate(named)),
        has_headings=has_headings,
        skipped=skipped,
    )


def lines_of(file: IO[bytes], form: Form) -> Iterator[Line]:
    """Yield the non-empty rows below the headings. May raise NotAList midway."""
    lines = _lines(file, form.encoding, form.separator, form.skipped)
    if form.has_headings:
        next(lines, None)
    for count, line in enumerate(lines):
        if count >= MOST_ROWS:
            raise NotAList(f"The file has more than {MOST_ROWS:,} rows: divide it, and import the parts.")
        yield line


def _require_text(head: bytes) -> None:
    for mark, what in OTHERS:
        if head.startswith(mark):
            raise NotAList(f"This is {what}, whatever its name says. {SAVE_AS}")
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"{", b"[{")):
        raise NotAList(f"This is a page or data of a program, and no table. {SAVE_AS}")


def _encoding(file: IO[bytes], head: bytes) -> str:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return _without_mark(head)
    return "utf-8" if _decodes(file, "utf-8") else "cp1252" if _decodes(file, "cp1252") else "latin-1"


def _without_mark(head: bytes) -> str:
    """Return the byte order of UTF-16 by its zeros: every second byte in Latin text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) // 5 or min(even, odd) > len(head) // 20:
        raise NotAList(f"The file holds bytes that no text has. {SAVE_AS}")
    return "utf-16-le" if odd > even else "utf-16-be"


def _decodes(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _text:  # named like the function `open`
    """A text stream that leaves the file open."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        file.seek(0)
        self._text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")

    def __enter__(self) -> io.TextIOWrapper:
        return self._text

    def __exit__(self, *fault: object) -> None:
        self._text.detach()


def _separator(file: IO[bytes], encoding: str) -> str:
    """Return the separator that splits the first rows into the most, equally many, columns."""
    with _text(file, encoding) as text:
        sample = text.read(HEAD)
    return max(SEPARATORS, key=lambda each: _fit(sample, each))


def _fit(sample: str, separator: str) -> tuple[int, int]:
    try:
        rows = [row for _, row in zip(range(20), csv.reader(io.StringIO(sample), delimiter=separator), strict=False)]
    except csv.Error:
        return (0, 0)
    widths = [len(row) for row in rows if row]
    if not widths or widths[0] < 2:
        return (0, 0)
    return (sum(width == widths[0] for width in widths), widths[0])


def _lines(file: IO[bytes], encoding: str, separator: str, skipped: int) -> Iterator[Line]:
    with _text(file, encoding) as text:
        reader = csv.reader(_bounded(text), delimiter=separator)
        number = 0
        while True:
            row = _next(reader, number)
            if row is None:
                return
            number += 1
            if number > skipped and any(cell.strip() for cell in row):
                yield Line(number, tuple(row))


def _bounded(text: IO[str]) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise NotAList(f"A line has more than {LONGEST_LINE:,} characters, as no row of a list does. {SAVE_AS}")
        yield line


def _next(reader: Iterator[list[str]], number: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as fault:
        if "field larger" in str(fault):
            why = f"a cell of row {number + 1} is longer than {csv.field_size_limit():,} characters"
            raise NotAList(f"{why.capitalize()}: a quotation mark there is perhaps never closed.") from None
        raise NotAList(f"Row {number + 1} cannot be read ({fault}). {SAVE_AS}") from None


def _heading(name: str, number: int) -> str:
    text = " ".join(visible(name[:200]).split())[:80]
    return text or f"Column {number + 1}"


def cell_of(cells: Sequence[str], column: int | None) -> str:
    """Return a column of a row, stripped; empty if the row is shorter."""
    if column is None or column >= len(cells):
        return ""
    # Databases refuse null characters, and one row must not stop a list.
    return cells[column].replace("\0", "").strip()
