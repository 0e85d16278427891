"""The API of Prefect, for which the old website was written."""
