"""The API of the Prefect system that the website was written for."""
