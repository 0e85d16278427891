"""The same work on ready-made stacks, so that Funnel's figures stand beside theirs from one run."""
