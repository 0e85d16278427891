"""Resend's API."""
