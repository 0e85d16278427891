"""Validation: what is wrong with a template, found before a lead can receive it."""
