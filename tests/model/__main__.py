"""Compare the rules with the model over many random histories: `python -m tests.model [HISTORIES] [SEED]`."""

import sys

from tests.model.play import first_difference

if __name__ == "__main__":
    histories = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    found = first_difference(histories, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(found or f"{histories} histories end the same by the rules and by the model.")
    sys.exit(bool(found))
