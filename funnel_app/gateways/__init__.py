"""Everything outside of the process, each behind a narrow class of our own."""
