"""Request bodies: known callers' payloads are read as they were meant; unreadable ones are kept byte for byte."""

import base64
import codecs
import json
import math
import re
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from funnel_app.unreadable import why_unreadable

# JSON may escape a null character or a lone surrogate, which databases refuse.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
SUBSTITUTE = "\x1a"
FORM = "application/x-www-form-urlencoded"
BYTES = "body_base64"
DEEPEST = 20
MOST_FIELDS = 1000
JSON_BEGINS = ("{", "[", '"')
PACKED = b"\x1f\x8b"
AS_GZIP = 16 + zlib.MAX_WBITS
MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_body(raw: bytes, media_type: str, encoding: str, largest: int) -> Any:
    """Return the content of a body: JSON, or the fields of a form.

    Raises BadRequest, UnsupportedMediaType and RequestEntityTooLarge, with a message for the caller.
    """
    text = _as_text(_unpacked(raw, encoding, largest))
    try:
        # curl and some pages send JSON with a form's content type; no field name looks like JSON.
        is_form = media_type == FORM and text.lstrip()[:1] not in JSON_BEGINS
        said = sanitize(_of_form(text)) if is_form else unwrapped(read_json(text))
    except RecursionError:
        raise BadRequest("The payload is nested too deep.") from None
    except ValueError as fault:
        if media_type not in ("application/json", FORM) and not media_type.endswith("+json"):
            raise UnsupportedMediaType("Send the payload as application/json.") from None
        raise BadRequest(why_unreadable(fault, text)) from None
    if _is_deep(said):
        raise BadRequest(f"The payload is nested deeper than {DEEPEST} levels.")
    return said


def _is_deep(value: object) -> bool:
    """Say whether a value is nested too deep, without recursion."""
    level: list[Any] = [value]
    depth = 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            inner
            for outer in level
            # What JSON's parser made is exactly one of these.
            if (kind := type(outer)) is dict or kind is list
            for inner in (outer.values() if kind is dict else outer)
        ]
    return depth > DEEPEST


def read_json(text: str, **kwargs: Any) -> Any:
    """Return a text's JSON in a form that the ledger can store; ValueError if it is not JSON."""
    value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, **kwargs)
    # Such a character appears literally or escaped.
    return sanitize(value) if "\\u" in text or UNKEEPABLE.search(text) else value


def unwrapped(value: Any) -> Any:
    """Return the object inside a JSON text or a one-item list: some senders wrap it twice."""
    if isinstance(value, str) and value.lstrip()[:1] in JSON_BEGINS:
        return unwrapped(read_json(value))
    return unwrapped(value[0]) if isinstance(value, list) and len(value) == 1 else value


def kept_as(raw: bytes) -> dict[str, str]:
    """Return an unreadable body in a form that the ledger can store and `bytes_of` can restore."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\x00"
    return {BYTES: base64.b64encode(raw).decode()} if UNKEEPABLE.search(text) else {"body": text}


def bytes_of(kept: Mapping[str, Any]) -> bytes | None:
    """Return the bytes stored by `kept_as`; None for any other payload."""
    if set(kept) == {BYTES} and isinstance(kept[BYTES], str):
        return base64.b64decode(kept[BYTES])
    return kept["body"].encode() if set(kept) == {"body"} and isinstance(kept["body"], str) else None


def sanitize(value: Any) -> Any:
    """Return data with a substitute for every character that the ledger cannot store."""
    if isinstance(value, str):
        return UNKEEPABLE.sub(SUBSTITUTE, value)
    if isinstance(value, list):
        return [sanitize(inner) for inner in value]
    if isinstance(value, dict):
        return {sanitize(name): sanitize(inner) for name, inner in value.items()}
    return value


def _unpacked(raw: bytes, encoding: str, largest: int) -> bytes:
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise UnsupportedMediaType("Send the payload as it is, or packed by gzip: Content-Encoding is another.")
    # The first bytes are reliable (RFC 1952, 2.3.1): proxies unpack a body and leave the header, or lose it.
    if not raw.startswith(PACKED):
        return raw
    try:
        body = zlib.decompressobj(AS_GZIP).decompress(raw, largest + 1)
    except zlib.error:
        raise BadRequest("The body begins as gzip does, and cannot be unpacked.") from None
    if len(body) > largest:
        raise RequestEntityTooLarge
    return body


def _as_text(raw: bytes) -> str:
    """Return the text of a body: by its byte order mark, as UTF-8, or as Windows-1252."""
    marked = next((name for mark, name in MARKED if raw.startswith(mark)), "utf-8")
    for encoding in (marked, "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _of_form(text: str) -> dict[str, Any]:
    """Return a form's fields; `consent[ip]` is nested, and repeated fields keep all values."""
    fields: dict[str, Any] = {}
    for name, value in _pairs(text):
        outer, _, inner = name.removesuffix("[]").partition("[")
        within = fields.setdefault(outer, {}) if inner else fields
        if isinstance(within, dict):
            key = inner.rstrip("]") or outer
            known = within.get(key)
            within[key] = value if known is None else [*(known if isinstance(known, list) else [known]), value]
    return fields


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return a form's names and values, decoded as UTF-8 or as Windows-1252, which old pages use."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return parse_qsl(text, True, encoding=encoding, errors="strict", max_num_fields=MOST_FIELDS)
        except UnicodeDecodeError:
            continue
    return parse_qsl(text, True, encoding="latin-1", max_num_fields=MOST_FIELDS)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number
