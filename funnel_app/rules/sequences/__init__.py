"""Sequences: what an enrolment plans, what ends it, and what a changed file means for it."""
