"""HTTP: hooks, console, pages for leads, and endpoints for machines."""
