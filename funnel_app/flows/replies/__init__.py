"""Replies: what leads write back, from Resend's webhook to the owner's own mailbox."""
