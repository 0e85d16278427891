"""What the pages share: their frame, the login, words, charts, and files for spreadsheets."""
