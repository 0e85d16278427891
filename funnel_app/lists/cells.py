"""Cells: what a spreadsheet opens, in which nothing that a stranger typed is a formula."""

# A spreadsheet takes a cell that begins so for a formula: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(cell: object) -> object:
    """Return a cell as it may stand in a file; one that would be a formula begins with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
