"""Replies: what people write back, from Resend's word that it came to the owner's own mailbox."""
