"""Lists of leads in other programs' formats; pure."""
