"""Compare the rules with the model over many random histories: `python -m tests.model [HISTORIES] [SEED]`."""

import sys

from sandbox.command_line import command_line
from tests.model.play import first_difference

if __name__ == "__main__":
    given = command_line(__doc__, histories=20_000, seed=0)
    found = first_difference(given["histories"], given["seed"])
    print(found or f"{given['histories']} histories end the same by the rules and by the model.")
    sys.exit(bool(found))
