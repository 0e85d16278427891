"""Signatures as Resend (by Svix's scheme) and Calendly put them on their webhooks."""

import base64
import hashlib
import hmac


def signing_key(secret: str) -> bytes:
    """Return the key inside a `whsec_…` secret; raises ValueError where there is none."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if not key or not secret.startswith("whsec_"):
        raise ValueError("A webhook secret is whsec_ and base64.")
    return key


def signed_headers(secret: str, svix_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers that prove where the body comes from and when it was sent."""
    content = b".".join([svix_id.encode(), str(timestamp).encode(), body])
    digest = hmac.new(signing_key(secret), content, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"svix-id": svix_id, "svix-timestamp": str(timestamp), "svix-signature": signature}


def calendly_headers(key: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the header by which Calendly proves where the body comes from and when it was sent."""
    digest = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Calendly-Webhook-Signature": f"t={timestamp},v1={digest}"}
