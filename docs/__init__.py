"""The documents' tables that are derived from the code."""
