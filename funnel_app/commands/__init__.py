"""Command line: `flask …`, where each command calls one flow."""
