"""What Resend refuses about an email, a batch or an idempotency key."""

import re
from typing import Any

Json = dict[str, Any]
REFUSED_DOMAINS = {"example.com", "test.com"}
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
ADDRESS = re.compile(r"(?:[^<>]*<([^<>\s]+)>|([^<>\s]+))\s*")
MAILBOX = re.compile(r"[^@\s,;<>\"()]+@([^@\s,;<>\"()]+\.[^@\s,;<>\"().]+)")


class ResendProblem(Exception):
    """A refusal in Resend's own form."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message

    def as_json(self) -> Json:
        """Return the error body."""
        return {"statusCode": self.status, "name": self.name, "message": self.message}


def check_email(item: object, domains: dict[str, str], in_batch: bool = False) -> Json:
    """Return the email as given where Resend would take it; raises ResendProblem."""
    if not isinstance(item, dict):
        raise invalid("The email must be a JSON object.")
    _check_presence(item)
    _check_sender(item["from"], domains)
    _check_recipients(item)
    _check_one_line("subject", item["subject"])
    _check_headers(item.get("headers"))
    _check_tags(item.get("tags"))
    _check_unsupported(item, in_batch)
    return item


def check_batch(body: object) -> list[object]:
    """Return the items of a batch; raises ResendProblem where there are none or more than 100."""
    if not isinstance(body, list) or not 1 <= len(body) <= 100:
        raise invalid("A batch is an array of 1 to 100 emails.")
    return body


def check_idempotency_key(key: str | None) -> str | None:
    """Return the key, None where the call has none; raises ResendProblem for a bad length."""
    if key is not None and not 1 <= len(key) <= 256:
        raise ResendProblem(400, "invalid_idempotency_key", "The idempotency key must be 1 to 256 characters long.")
    return key


def invalid(message: str) -> ResendProblem:
    """Return the usual refusal of a payload."""
    return ResendProblem(422, "validation_error", message)


def recipients(item: Json, name: str = "to") -> list[Any]:
    """Return the addresses of a field that may hold one or a list."""
    value = item.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _check_presence(item: Json) -> None:
    for name in ("from", "to", "subject"):
        if not item.get(name):
            raise ResendProblem(422, "missing_required_field", f"Missing `{name}` field.")
    if not item.get("html") and not item.get("text"):
        raise ResendProblem(422, "missing_required_field", "Missing `html` or `text` field.")
    for name in ("html", "text"):
        if not isinstance(item.get(name) or "", str):
            raise invalid(f"The `{name}` field must be a string.")


def _check_sender(sender: object, domains: dict[str, str]) -> None:
    domain = _domain_of("from", sender)
    if domains.get(domain, "verified") != "verified":
        raise ResendProblem(403, "validation_error", f"The {domain} domain is not verified.")


def _check_recipients(item: Json) -> None:
    for name in ("to", "cc", "bcc"):
        found = recipients(item, name)
        if len(found) > 50:
            raise invalid(f"The `{name}` field holds at most 50 addresses.")
        for address in found:
            if _domain_of(name, address) in REFUSED_DOMAINS:
                raise invalid(f"Invalid `{name}` field: example.com and test.com take no mail, use resend.dev instead.")
    for address in recipients(item, "reply_to"):
        _domain_of("reply_to", address)


def _domain_of(name: str, address: object) -> str:
    text = _check_one_line(name, address)
    parts = ADDRESS.fullmatch(text)
    mailbox = parts and MAILBOX.fullmatch(parts[1] or parts[2])
    if not mailbox:
        raise invalid(f"Invalid `{name}` field: expected `mail@domain` or `Name <mail@domain>`.")
    return mailbox[1].lower()


def _check_one_line(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid(f"The `{name}` field must be a string.")
    if CONTROL.search(value):
        raise invalid(f"The `{name}` field holds a line break or a control character.")
    return value


def _check_headers(headers: object) -> None:
    if headers is None:
        return
    if not isinstance(headers, dict):
        raise invalid("The `headers` field must be an object.")
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise invalid("The `headers` field holds a name that no header can have.")
        _check_one_line("headers", value)


def _check_tags(tags: object) -> None:
    if tags is None:
        return
    if not isinstance(tags, list) or len(tags) > 75:
        raise invalid("The `tags` field must be an array of at most 75 tags.")
    for tag in tags:
        parts = [tag.get("name"), tag.get("value")] if isinstance(tag, dict) else [None]
        if not all(isinstance(part, str) and TAG.fullmatch(part) for part in parts):
            raise invalid("Tags hold only ASCII letters, digits, underscores and dashes, at most 256 of them.")


def _check_unsupported(item: Json, in_batch: bool) -> None:
    if item.get("scheduled_at"):
        raise invalid("The sandbox does not schedule, and a batch never does: leave out `scheduled_at`.")
    if in_batch and item.get("attachments"):
        raise invalid("The `attachments` field is not supported in a batch.")
