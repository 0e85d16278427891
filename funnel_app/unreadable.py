"""Unreadable bodies: what JSON's and a form's reader say of them, in words for whoever sent or owns the call."""

import json
from collections.abc import Mapping

# By how the reader's own message begins; the place where it stopped follows.
OF_JSON: Mapping[str, str] = {
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "a colon is missing after a field's name",
    "Expecting property name": "a field's name in double quotes is missing",
    "Expecting value": "a value is missing, or is none that JSON knows",
    "Unterminated string": "a text begins here and does not end",
    "Invalid control character": "a line break or a tab stands in a text as it is",
    "Invalid \\": "a backslash stands before what it may not",
    "Extra data": "something follows the end",
}
OF_OTHERS: Mapping[str, str] = {
    "Exceeds the limit": "a number has more digits than any that is meant",
    "Max number of fields exceeded": "the form has more fields than any that is meant",
}


def why_unreadable(fault: ValueError, text: str) -> str:
    """Return as a sentence why a body could not be read, with the line and character at which its reader stopped."""
    if not text.strip():
        return "The payload is empty."
    if isinstance(fault, json.JSONDecodeError):
        why = _first(OF_JSON, fault.msg)
        return f"The payload is not JSON: at line {fault.lineno}, character {fault.colno}, {why}."
    return f"The payload cannot be read: {_first(OF_OTHERS, str(fault))}."


def _first(words: Mapping[str, str], message: str) -> str:
    return next((said for begins, said in words.items() if message.startswith(begins)), message)
