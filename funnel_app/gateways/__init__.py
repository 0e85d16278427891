"""Gateways: everything outside the process, each behind a narrow class of our own."""
