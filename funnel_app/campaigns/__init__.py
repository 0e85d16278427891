"""Campaigns: the files' model, and the states, reasons and words that all floors share."""
