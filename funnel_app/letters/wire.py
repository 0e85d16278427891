"""The letter in Resend's format."""

from funnel_app.letters.letter import Letter


def as_resend(letter: Letter) -> dict[str, object]:
    """Return the body of POST /emails in a fixed order, as a repeated request must be byte for byte the same."""
    body: dict[str, object] = {
        "from": letter.sender,
        "to": [letter.to],
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "headers": dict(sorted(letter.headers.items())),
        "tags": [{"name": name, "value": value} for name, value in sorted(letter.tags.items())],
    }
    return body | {"reply_to": letter.reply_to} if letter.reply_to else body
