"""Cut text to the pieces that Notion takes in one rich text item."""

from collections.abc import Iterator

CHUNK_UNITS = 2000
MOST_CHUNKS = 100
LAST_OF_ONE_UNIT = "\uffff"


def utf16_units(text: str) -> int:
    """Return the length as Notion counts it: UTF-16 units, so that an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def chunks(text: str, units: int = CHUNK_UNITS) -> list[str]:
    """Return pieces of at most so many UTF-16 units, in order, never half a character; none for an empty text."""
    return list(_cut(text, units))


def _cut(text: str, units: int) -> Iterator[str]:
    start = used = 0
    for position, character in enumerate(text):
        width = 1 if character <= LAST_OF_ONE_UNIT else 2
        if used + width > units:
            yield text[start:position]
            start, used = position, 0
        used += width
    if start < len(text):
        yield text[start:]
