"""Bodies: what a known caller sent is read as what it was meant to be; what nobody can read is kept byte for byte."""

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

# JSON may spell a null character and half a surrogate pair, but neither is text that a database keeps or a reader sees.
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
    """Return what a body says: JSON, or the fields of a form.

    Raises BadRequest, UnsupportedMediaType and RequestEntityTooLarge, each in words for the caller.
    """
    text = _as_text(_unpacked(raw, encoding, largest))
    try:
        # curl and some pages send JSON under a form's type, which no field's name looks like.
        is_form = media_type == FORM and text.lstrip()[:1] not in JSON_BEGINS
        said = sanitize(_of_form(text)) if is_form else unwrapped(read_json(text))
    except RecursionError:
        raise BadRequest("The payload is nested too deep.") from None
    except ValueError as fault:
        if media_type not in ("application/json", FORM) and not media_type.endswith("+json"):
            raise UnsupportedMediaType("Send the payload as application/json.") from None
        raise BadRequest(str(fault)) from None
    if _is_deep(said):
        raise BadRequest(f"The payload is nested deeper than {DEEPEST} levels.")
    return said


def _is_deep(value: object) -> bool:
    """Say whether a value is nested too deep for whatever walks through it, without a call for each level."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth > DEEPEST


def read_json(text: str, **kwargs: Any) -> Any:
    """Return what a text says in JSON, as the ledger can keep it; ValueError where it is none."""
    value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, **kwargs)
    # What cannot be kept stands in a text as it is, or is spelled so.
    return sanitize(value) if "\\u" in text or UNKEEPABLE.search(text) else value


def unwrapped(value: Any) -> Any:
    """Return the object in a text that is JSON once more, or in a list of one: what some senders wrap it in."""
    if isinstance(value, str) and value.lstrip()[:1] in JSON_BEGINS:
        return unwrapped(read_json(value))
    return unwrapped(value[0]) if isinstance(value, list) and len(value) == 1 else value


def kept_as(raw: bytes) -> dict[str, str]:
    """Return a body that is no payload as it can be kept, so that its very bytes can be had again."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\x00"
    return {BYTES: base64.b64encode(raw).decode()} if UNKEEPABLE.search(text) else {"body": text}


def bytes_of(kept: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of what `kept_as` kept; None for any other payload."""
    if set(kept) == {BYTES} and isinstance(kept[BYTES], str):
        return base64.b64decode(kept[BYTES])
    return kept["body"].encode() if set(kept) == {"body"} and isinstance(kept["body"], str) else None


def sanitize(value: Any) -> Any:
    """Return data with a substitute for every character that cannot be kept."""
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
    # Its first bytes say it for certain (RFC 1952, 2.3.1): proxies unpack and leave the header, or lose it.
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
    """Return the text of a body: in the encoding that its first bytes say, in UTF-8, or as Windows wrote it."""
    marked = next((name for mark, name in MARKED if raw.startswith(mark)), "utf-8")
    for encoding in (marked, "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _of_form(text: str) -> dict[str, Any]:
    """Return a form's fields; `consent[ip]` is a field within another, and of a field sent twice all are kept."""
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
    """Return a form's names and values, whose bytes are in UTF-8, or in Windows' letters, as old pages write them."""
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
