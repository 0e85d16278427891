"""Funnel: from a webhook to an email in the inbox, with proof."""
