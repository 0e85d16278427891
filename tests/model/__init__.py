"""A second opinion: the words of docs/sequences.md as plain code, compared with the rules by random histories."""
