"""HTTP: the hooks, the console, what leads open, what machines ask."""
