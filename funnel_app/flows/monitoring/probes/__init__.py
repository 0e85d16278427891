"""Probes: what the watch looks at, each of which tells what is wrong with one part."""
