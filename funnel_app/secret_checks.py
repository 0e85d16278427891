"""Checks of secrets among the settings: each raises ValidationError saying what a value must be."""

import base64
import re

from marshmallow import ValidationError

from funnel_app.setting_checks import parts_of

MINIMUM_SECRET_LENGTH = 32
LEAST_PASSWORD = 12


def is_example(value: str) -> bool:
    """Say whether a value is the one in `.env.example`."""
    return value.startswith("change-me") or value.endswith("...")


def _own(value: str) -> None:
    if any(map(is_example, parts_of(value))):
        raise ValidationError("is still the example's: put your own there (openssl rand -hex 32 makes a secret).")


def long_enough(value: str) -> None:
    """Reject a short secret, and the example's; older secrets may follow it."""
    _own(value)
    if not parts_of(value) or any(len(secret) < MINIMUM_SECRET_LENGTH for secret in parts_of(value)):
        raise ValidationError(f"must have {MINIMUM_SECRET_LENGTH} characters or more.")


def strong_pair(value: str) -> None:
    """Reject a weak secret, and the example's; two are allowed during a rotation."""
    _own(value)
    if not parts_of(value) or any(len(secret) < 16 for secret in parts_of(value)):
        raise ValidationError("must be a secret of 16 characters or more, or two with a comma while it is rotated.")
    if not value.isascii():
        raise ValidationError("must be of plain letters, digits and signs: a header of HTTP carries no others.")


def password(value: str) -> None:
    """Reject a guessable password."""
    if len(value.strip()) < LEAST_PASSWORD:
        raise ValidationError(
            f"must have {LEAST_PASSWORD} characters or more; four words that only you string together are good."
        )


def signing_keys(value: str) -> None:
    """Reject a weak signing key; two are allowed during a rotation, and empty is allowed."""
    if any(len(key) < 16 for key in parts_of(value)):
        raise ValidationError("must be a key of 16 characters or more, or two with a comma while it is rotated.")


def strong_or_off(value: str) -> None:
    """Reject a weak key, or one that cannot be part of a URL; empty is allowed."""
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{16,128}", key) for key in parts_of(value)):
        raise ValidationError("must be 16 or more letters, digits, - and _.")


def key(value: str) -> None:
    """Reject a key that no HTTP header can carry, and the example's."""
    _own(value)
    # The characters of a bearer token: RFC 6750, section 2.1.
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", value):
        raise ValidationError("must be a key of letters, digits and signs alone: copy it again.")


def key_or_off(value: str) -> None:
    """Reject a key that no header can carry; empty is allowed."""
    if value:
        key(value)


def webhook_secrets(value: str) -> None:
    """Reject secrets that are not base64 after `whsec_`."""
    for secret in parts_of(value) or ("",):
        if not _key_in(secret):
            raise ValidationError("must be the signing secret that Resend shows for the webhook: whsec_…")


def own_signing_secrets(value: str) -> None:
    """Reject secrets that a receiver's library cannot use or that are guessable; empty is allowed.

    Standard Webhooks requires 24 to 64 bytes, in base64 after `whsec_`.
    """
    _own(value)
    for secret in parts_of(value):
        if not 24 <= len(_key_in(secret)) <= 64:
            raise ValidationError(
                'must be base64 of 24 to 64 bytes behind whsec_: echo "whsec_$(openssl rand -base64 32)" makes one.'
            )


def _key_in(secret: str) -> bytes:
    """Return the key in a Standard Webhooks secret; empty if it is no base64."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""
